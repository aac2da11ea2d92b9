#!/usr/bin/python3
"""Makes many files of few: copies DICOM files under new SOP Instance UIDs until there are enough.

usage: multiply.py FOLDER COUNT[+FIRST] FILE...
FIRST is the number of the first copy, so that a later call makes others.
The UID is replaced by one of the same length, in the bytes, so that a copy costs no more than writing it.
"""
import os
import re
import sys

folder, sources = sys.argv[1], sys.argv[3:]
count, first = (int(number) for number in (sys.argv[2] + "+0").split("+")[:2])
os.makedirs(folder, exist_ok=True)
originals = []
for path in sources:
    with open(path, "rb") as file:
        data = file.read()
    # (0002,0003) Media Storage SOP Instance UID, Explicit VR Little Endian: the UID stands once more, in (0008,0018).
    at = data.index(b"\x02\x00\x03\x00UI")
    length = int.from_bytes(data[at + 6:at + 8], "little")
    originals.append((data, data[at + 8:at + 8 + length].rstrip(b"\0")))
for number in range(first, first + count):
    data, uid = originals[number % len(originals)]
    if number >= len(originals):
        other = re.sub(rb"\d{7}$", b"%07d" % (1000000 + number), uid)
        assert other != uid and len(other) == len(uid), "the UID does not end in seven digits"
        data = data.replace(uid, other)
    with open(os.path.join(folder, "%05d.dcm" % number), "wb") as file:
        file.write(data)
