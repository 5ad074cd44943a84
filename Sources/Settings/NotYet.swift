/// Keys that are read and checked already, and refused when set to anything but their default, because nothing acts on them yet:
/// nobody may believe that they are alerted when they aren't.
///
/// Enabling a key is removing its line. The keys of `probe` stand for those of every override, too.
let keysOfLaterVersions: Set<String> = [
    "web_config_file"
]
