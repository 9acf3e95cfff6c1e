"""What a file claims to be by its suffix: content type and risk.

Only suffixes that change what happens when the file is opened, or whether it may be sent to
somebody, are worth a line. Types are those of shared-mime-info or IANA, shortened where a family
is enough.
"""

from checkfirst.model import Risk

Reading = tuple[str, Risk]
"""Content type and risk."""

PE = "application/vnd.microsoft.portable-executable"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
TEXT = "text/plain"
XML = "application/xml"
OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

_CLAIMS: dict[Risk, dict[str, str]] = {
    Risk.PROGRAM: {
        PE: "exe dll scr cpl ocx sys drv com pif mui efi xll",
        "application/x-executable": "elf so ko run out axf",
        "application/vnd.appimage": "appimage",
        "application/java-archive": "jar war ear",
        "application/java-vm": "class",
        "application/wasm": "wasm",
        "application/x-python-code": "pyc pyo pyd",
        "application/x-apple-bundle": "app command dylib",
    },
    Risk.INSTALLER: {
        "application/x-msi": "msi msp mst msm",
        "application/msix": "msix msixbundle appx appxbundle appinstaller application msu",
        "application/vnd.debian.binary-package": "deb udeb ipk",
        "application/x-rpm": "rpm",
        "application/x-apple-diskimage": "dmg",
        "application/x-xar": "pkg mpkg",
        "application/vnd.android.package-archive": "apk xapk apks apkm aab",
        "application/x-ios-app": "ipa",
        "application/vnd.flatpak": "flatpak flatpakref flatpakrepo",
        "application/vnd.snap": "snap",
        "application/x-browser-extension": "xpi crx vsix oxt",
        "application/x-language-package": "whl egg gem nupkg",
    },
    Risk.SCRIPT: {
        "application/x-shellscript": "sh bash zsh fish ksh csh tcsh",
        "text/x-python": "py pyw pyz pyzw",
        "text/x-perl": "pl pm",
        "text/x-ruby": "rb",
        "text/x-lua": "lua",
        "application/x-php": "php phtml phar",
        "application/x-powershell": "ps1 psm1 psd1 ps1xml psc1 cdxml",
        "text/javascript": "js mjs cjs jse",
        "text/vbscript": "vbs vbe vb wsf wsh wsc sct",
        "application/x-bat": "bat cmd",
        "application/hta": "hta",
        "application/x-ms-shortcut": "lnk scf",
        "application/x-mswinurl": "url website webloc",
        "application/x-desktop": "desktop",
        "application/x-msregistry": "reg inf ins isp job msc settingcontent-ms diagcab gadget",
        "application/vnd.ms-htmlhelp": "chm hlp",
        "application/x-java-jnlp-file": "jnlp",
        "application/x-applescript": "scpt applescript workflow action terminal",
        "application/x-autohotkey": "ahk au3 a3x",
        "application/x-iqy": "iqy slk library-ms search-ms theme themepack rdp",
    },
    Risk.ARCHIVE: {
        ZIP: "zip zipx",
        "application/x-7z-compressed": "7z",
        "application/vnd.rar": "rar r00 cbr",
        "application/gzip": "gz tgz",
        "application/x-bzip2": "bz2 tbz tbz2",
        "application/x-xz": "xz txz",
        "application/zstd": "zst tzst",
        "application/x-lzma": "lz lzma lz4 lzo z br lzh lha arj ace uue",
        "application/x-tar": "tar",
        "application/vnd.ms-cab-compressed": "cab",
        "application/x-cd-image": "iso img udf nrg cue",
        "application/x-virtual-disk": "vhd vhdx vmdk vdi qcow2 ova wim esd",
        "application/x-cpio": "cpio",
        "application/x-archive": "a ar lib",
    },
    Risk.DOCUMENT: {
        "application/pdf": "pdf",
        "application/postscript": "ps eps ai",
        "application/rtf": "rtf",
        "application/msword": "doc dot",
        "application/vnd.ms-excel": "xls xlt xla xlsb xlam",
        "application/vnd.ms-powerpoint": "ppt pot pps ppa ppam",
        f"{OOXML}.wordprocessingml": "docx dotx docm dotm",
        f"{OOXML}.spreadsheetml": "xlsx xltx xlsm xltm",
        f"{OOXML}.presentationml": "pptx potx ppsx pptm potm ppsm",
        "application/vnd.visio": "vsd vsdx vsdm",
        "application/x-mspublisher": "pub one onetoc2 mpp accdb mdb",
        f"{_ODF}.text": "odt ott fodt",
        f"{_ODF}.spreadsheet": "ods ots fods",
        f"{_ODF}.presentation": "odp otp fodp",
        f"{_ODF}.graphics": "odg odf odb",
        "application/epub+zip": "epub mobi azw3",
        "application/vnd.apple.iwork": "pages numbers key",
        "application/oxps": "xps oxps djvu",
        "text/html": "html htm xhtml mht mhtml shtml",
        "image/svg+xml": "svg svgz",
        "message/rfc822": "eml msg mbox",
        "text/csv": "csv tsv",
        "text/calendar": "ics vcf",
        "text/markdown": "md rst tex",
        "application/json": "json yaml yml toml",
        XML: "xml",
        TEXT: "txt log",
    },
    Risk.OTHER: {
        "font/sfnt": "ttf otf ttc woff woff2",
        "application/x-bittorrent": "torrent",
        "application/vnd.sqlite3": "sqlite db",
        "application/pgp-signature": "asc sig gpg pem crt",
    },
    Risk.MEDIA: {
        "video/mp4": "mp4 m4v mov 3gp",
        "video/x-matroska": "mkv webm",
        "video/x-msvideo": "avi wmv flv mpg mpeg ts ogv",
        "audio/mpeg": "mp3",
        "audio/ogg": "ogg oga opus",
        "audio/flac": "flac",
        "audio/x-wav": "wav aif aiff m4a aac wma mid midi",
    },
    Risk.IMAGE: {
        "image/png": "png apng",
        "image/jpeg": "jpg jpeg jfif",
        "image/gif": "gif",
        "image/webp": "webp",
        "image/bmp": "bmp",
        "image/tiff": "tif tiff dng cr2 nef arw",
        "image/heif": "heic heif avif jxl jp2",
        "image/x-icon": "ico cur",
        "image/vnd.adobe.photoshop": "psd xcf",
    },
}

_BY_SUFFIX: dict[str, Reading] = {
    suffix: (content_type, risk)
    for risk, types in _CLAIMS.items()
    for content_type, suffixes in types.items()
    for suffix in suffixes.split()
}


def suffix(name: bytes) -> str:
    """Give the last real suffix, lower case and without its dot; empty where there is none.

    What cannot be seen (bidi overrides, zero-width characters) and what Windows drops (dots and
    spaces at the end) is taken away first, so that it hides nothing.
    """
    text = name.decode("utf-8", "surrogateescape")
    if not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    stem, dot, last = text.rstrip(". ").rpartition(".")
    return last.strip().lower() if dot and stem.strip(".") else ""


def claimed(name: bytes) -> Reading | None:
    """Give what the suffix claims, if it is one that is known."""
    return _BY_SUFFIX.get(suffix(name))
