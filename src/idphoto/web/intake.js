// How a photo gets onto the page: chosen, taken, dropped or pasted.

const choose = document.getElementById("file");
const camera = document.getElementById("camera");

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

/** Wire all four ways; `onFile` gets each new file. */
export function watchIntake(onFile) {
  const take = (files) => {
    if (files?.length) onFile(files[0]);
  };

  for (const input of [choose, camera]) {
    input.addEventListener("change", () => {
      take(input.files);
      input.value = ""; // so that choosing the same file again counts as a change
    });
  }
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).click());
  }

  // Entering a child fires before leaving its parent, hence the count.
  let depth = 0;
  const mark = (change) => {
    depth = Math.max(0, change);
    document.body.classList.toggle("dragging", depth > 0);
  };
  document.addEventListener("dragenter", (event) => {
    if (holdsFiles(event)) mark(depth + 1);
  });
  document.addEventListener("dragleave", (event) => {
    if (holdsFiles(event)) mark(depth - 1);
  });
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    mark(0);
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
}
