// What the browser remembers between visits. Storage may be forbidden; the page then works for this visit only.

export function recall(name) {
  try {
    return localStorage.getItem(`idphoto.${name}`) ?? "";
  } catch {
    return "";
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`idphoto.${name}`, value);
  } catch {
    // Nothing is lost that the user cannot enter again.
  }
}
