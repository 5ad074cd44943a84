import Foundation
import TestSupport

/// The bill of materials that `scripts/package` has written, as far as the tests read it: https://spdx.github.io/spdx-spec/v2.3/
struct Materials: Decodable {
    struct Checksum: Decodable {
        var algorithm: String
        var checksumValue: String
    }

    struct Package: Decodable {
        var id: String
        var name: String
        var versionInfo: String?
        var packageFileName: String?
        var checksums: [Checksum]?

        enum CodingKeys: String, CodingKey {
            case id = "SPDXID"
            case name, versionInfo, packageFileName, checksums
        }
    }

    struct File: Decodable {
        var fileName: String
        var checksums: [Checksum]
    }

    struct Relationship: Decodable {
        var spdxElementId: String
        var relationshipType: String
        var relatedSpdxElement: String
    }

    var packages: [Package]
    var files: [File]
    var relationships: [Relationship]

    static func read() throws -> Materials {
        try JSONDecoder().decode(Materials.self, from: Data(contentsOf: URL(filePath: Packages().path(".spdx.json"))))
    }

    /// The packages that `element`, or any element, has this relationship to.
    func related(_ type: String, from element: String? = nil) -> [Package] {
        let ids = relationships.filter { $0.relationshipType == type && (element == nil || $0.spdxElementId == element) }
        return packages.filter { package in ids.contains { $0.relatedSpdxElement == package.id } }
    }

    /// The package that stands for a file that is given away.
    func artifact(_ suffix: String) throws -> Package {
        guard let found = packages.first(where: { $0.packageFileName?.hasSuffix(suffix) == true }) else {
            throw SupportError("the bill of materials has no \(suffix)")
        }
        return found
    }
}

extension [Materials.Checksum] {
    func value(_ algorithm: String) -> String? { first { $0.algorithm == algorithm }?.checksumValue }
}
