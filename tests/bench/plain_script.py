"""What people write for themselves: watchdog, hashlib, shutil.move, and a set of hashes."""

import hashlib
import shutil
import sys
import time
from pathlib import Path

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

folder, released, hashes = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
known = set(hashes.read_text().split())


class Handler(FileSystemEventHandler):
    def on_created(self, event):
        path = Path(event.src_path)
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() in known:
            shutil.move(path, released / path.name)


observer = Observer()
observer.schedule(Handler(), str(folder))
observer.start()
print("watching", flush=True)
while True:
    time.sleep(1)
