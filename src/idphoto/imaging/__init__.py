"""The imaging core: bytes and arrays in, arrays and values out.

Nothing here knows the web, a database, asyncio or the network. The way through it is
``decode`` → ``analyse`` → ``render`` → ``encode``; :mod:`idphoto.imaging.portrait` names the values that travel.
"""
