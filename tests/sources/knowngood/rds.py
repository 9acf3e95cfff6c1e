"""Small Reference Data Sets with NIST's own layouts, version 3.

The layouts are those of RDS_2025.03.1_modern_minimal (tables) and of RDS_2022.03.1_modern (a full
set: views over METADATA and others, of whose columns those are here that the views use or that
must not be null).
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

MINIMAL = """
CREATE TABLE FILE (
 sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL,
 file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL,
 CONSTRAINT PK_FILE__FILE PRIMARY KEY (sha256, sha1, md5, crc32, file_name, file_size, package_id)
);
CREATE TABLE MFG (
 manufacturer_id INTEGER NOT NULL, name VARCHAR NOT NULL,
 CONSTRAINT PK_MFG__MFG_ID PRIMARY KEY (manufacturer_id)
);
CREATE TABLE OS (
 operating_system_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL,
 manufacturer_id INTEGER NOT NULL,
 CONSTRAINT PK_OS__OS_ID PRIMARY KEY (operating_system_id, manufacturer_id)
);
CREATE TABLE PKG (
 package_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL,
 operating_system_id INTEGER NOT NULL, manufacturer_id INTEGER NOT NULL,
 language VARCHAR NOT NULL, application_type VARCHAR NOT NULL,
 CONSTRAINT PK_PGK__PKG_ID PRIMARY KEY
  (package_id, operating_system_id, manufacturer_id, language, application_type)
);
CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5, crc32 FROM FILE;
"""

FULL = """
CREATE TABLE PACKAGE_OBJECT (
 package_object_id INTEGER UNIQUE NOT NULL, package_id INTEGER NOT NULL,
 object_id INTEGER UNIQUE NOT NULL, PRIMARY KEY (package_object_id)
);
CREATE TABLE APPLICATION (
 application_id INTEGER UNIQUE NOT NULL, package_id INTEGER NOT NULL,
 name VARCHAR DEFAULT '' NOT NULL, version VARCHAR DEFAULT '', PRIMARY KEY (application_id)
);
CREATE TABLE APPLICATION_TYPE (
 application_type_id INTEGER UNIQUE NOT NULL, description VARCHAR NOT NULL,
 PRIMARY KEY (application_type_id)
);
CREATE TABLE APPLICATION_APPLICATION_TYPE (
 application_application_type_id INTEGER PRIMARY KEY, application_id INTEGER NOT NULL,
 application_type_id INTEGER NOT NULL
);
CREATE TABLE LANGUAGE (language_id INTEGER PRIMARY KEY, name VARCHAR DEFAULT '' NOT NULL);
CREATE TABLE APPLICATION_LANGUAGE (
 application_language_id INTEGER PRIMARY KEY, language_id INTEGER NOT NULL,
 application_id INTEGER NOT NULL
);
CREATE TABLE OPERATING_SYSTEM_APPLICATION (
 operating_system_application_id INTEGER PRIMARY KEY, operating_system_id INTEGER NOT NULL,
 application_id INTEGER NOT NULL
);
CREATE TABLE MANUFACTURER_APPLICATION (
 manufacturer_application_id INTEGER PRIMARY KEY, manufacturer_id INTEGER NOT NULL,
 application_id INTEGER NOT NULL
);
CREATE TABLE METADATA (
 metadata_id NUMERIC UNIQUE NOT NULL, object_id INTEGER, key_hash VARCHAR NOT NULL,
 path VARCHAR NOT NULL, file_name VARCHAR NOT NULL, extension VARCHAR DEFAULT '' NOT NULL,
 bytes INTEGER NOT NULL, crc32 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL,
 sha256 VARCHAR NOT NULL, PRIMARY KEY (metadata_id)
);
CREATE VIEW FILE AS
 SELECT UPPER(md.sha256) AS sha256, UPPER(md.sha1) AS sha1, UPPER(md.md5) AS md5,
  CASE md.extension WHEN '' THEN md.file_name ELSE md.file_name||'.'||md.extension END
   AS file_name,
  md.bytes AS file_size, po.package_id
 FROM METADATA AS md, PACKAGE_OBJECT AS po WHERE md.object_id = po.object_id;
CREATE VIEW PKG AS
 SELECT a.package_id, a.name, a.version, osa.operating_system_id, ma.manufacturer_id,
  l.name AS language, at.description AS application_type
 FROM APPLICATION AS a, OPERATING_SYSTEM_APPLICATION AS osa, MANUFACTURER_APPLICATION AS ma,
  APPLICATION_LANGUAGE AS al, LANGUAGE AS l, APPLICATION_APPLICATION_TYPE AS aat,
  APPLICATION_TYPE AS at
 WHERE a.application_id = osa.application_id AND a.application_id = ma.application_id
  AND a.application_id = al.application_id AND al.language_id = l.language_id
  AND a.application_id = aat.application_id
  AND aat.application_type_id = at.application_type_id;
"""

VERSION = """
CREATE TABLE VERSION (
 version VARCHAR UNIQUE NOT NULL, build_set VARCHAR NOT NULL,
 build_date TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL, release_date TIMESTAMP NOT NULL,
 description VARCHAR NOT NULL, CONSTRAINT PK_VERSION__VERSION PRIMARY KEY (version)
);
INSERT INTO VERSION (version, build_set, release_date, description)
 VALUES ('2025.03.1', 'modern', '2025-03-01', 'full'),
  ('2026.03.1', 'modern', '2026-03-01', 'full');
"""


@dataclass(frozen=True)
class Product:
    """A package: its kinds, and the hashes of its files."""

    kinds: tuple[str, ...]
    hashes: tuple[bytes, ...]


def minimal(path: Path, products: Iterable[Product]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MINIMAL + VERSION)
        for number, product in enumerate(products, 1):
            for kind in product.kinds:
                for language in ("English", "German"):
                    values = (number, f"product {number}", "1", 5, 7, language, kind)
                    database.execute("INSERT INTO PKG VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            for n, digest in enumerate(product.hashes):
                sha256 = digest.hex().upper()
                for copy in range(2):  # the same file under two names, as often
                    values = (sha256, sha256[:40], sha256[:32], "0", f"f{copy}-{n}", 5, number)
                    database.execute("INSERT INTO FILE VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        database.commit()
    return path


def full(path: Path, products: Iterable[Product]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(FULL + VERSION)
        database.execute("INSERT INTO LANGUAGE VALUES (1, 'English')")
        kinds: dict[str, int] = {}
        rows = 0
        for number, product in enumerate(products, 1):
            run = database.execute
            run("INSERT INTO PACKAGE_OBJECT VALUES (?, ?, ?)", (number, number, 100 + number))
            run("INSERT INTO APPLICATION VALUES (?, ?, ?, '1')", (number, number, f"p{number}"))
            run("INSERT INTO APPLICATION_LANGUAGE VALUES (?, 1, ?)", (number, number))
            run("INSERT INTO OPERATING_SYSTEM_APPLICATION VALUES (?, 1, ?)", (number, number))
            run("INSERT INTO MANUFACTURER_APPLICATION VALUES (?, 1, ?)", (number, number))
            for kind in product.kinds:
                if kind not in kinds:
                    kinds[kind] = len(kinds) + 1
                    run("INSERT INTO APPLICATION_TYPE VALUES (?, ?)", (kinds[kind], kind))
                run(
                    "INSERT INTO APPLICATION_APPLICATION_TYPE (application_id, "
                    "application_type_id) VALUES (?, ?)",
                    (number, kinds[kind]),
                )
            for digest in product.hashes:
                rows += 1
                sha256 = digest.hex()  # the view makes it upper case
                values = (rows, 100 + number, "k", "/", "f", "exe", 5, "0", "0", "0", sha256)
                run(f"INSERT INTO METADATA VALUES ({', '.join('?' * 11)})", values)
        database.commit()
    return path
