import Health

/// The files that pages refer to. Their names have a hash of their bytes: whoever has one need not ask for it again.
package struct Assets: Sendable {
    package struct File: Sendable {
        package let path: String
        package let contentType: String
        package let bytes: [UInt8]
    }

    private let byPath: [String: File]
    let stylesheet: String
    let script: String
    private let icons: [Status: String]

    package init() {
        func file(_ name: String, _ end: String, _ type: String, _ bytes: [UInt8]) -> File {
            File(path: "/assets/\(name).\(Self.hash(bytes)).\(end)", contentType: type, bytes: bytes)
        }
        let style = file("style", "css", "text/css; charset=utf-8", PackageResources.style_css)
        let code = file("script", "js", "text/javascript; charset=utf-8", PackageResources.script_js)
        let pictures: [(Status, [UInt8])] = [
            (.up, PackageResources.up_svg), (.degraded, PackageResources.degraded_svg), (.down, PackageResources.down_svg),
            (.unknown, PackageResources.unknown_svg),
        ]
        let iconFiles = pictures.map { ($0.0, file($0.0.rawValue, "svg", "image/svg+xml", $0.1)) }
        (stylesheet, script) = (style.path, code.path)
        icons = Dictionary(uniqueKeysWithValues: iconFiles.map { ($0.0, $0.1.path) })
        byPath = Dictionary(uniqueKeysWithValues: ([style, code] + iconFiles.map(\.1)).map { ($0.path, $0) })
    }

    package func file(at path: String) -> File? { byPath[path] }

    func icon(of status: Status) -> String { icons[status] ?? "" }

    /// FNV-1a of 64 bits: the hash tells versions of one file apart, and nothing else.
    static func hash(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return Hex.text((0..<8).map { UInt8(truncatingIfNeeded: hash >> (56 - 8 * $0)) })
    }
}
