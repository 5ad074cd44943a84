import Health
import Testing

@testable import Pages

@Suite struct CertificateTableTests {
    private func leaf(_ number: UInt8) -> LeafCertificate {
        LeafCertificate(fingerprint: [UInt8](repeating: number, count: 32)) {
            .init(subject: "CN=\(number)", issuer: "CN=ca", hosts: [])
        }
    }

    @Test func aCertificateOfManyTargetsIsThereOnceAndByExpiry() {
        var (table, index) = (CertificateTable(), TargetIndex())
        for slot in 0..<6 {
            index.put(sample("k\(slot)"), slot: slot, .up)
            table.set(leaf(slot < 5 ? 1 : 2), expiry: sampleTime + .seconds(slot < 5 ? 2000 : 1000), slot: slot)
        }
        let found = table.first(10, of: index)
        #expect(
            found.map(\.subject) == ["CN=2", "CN=1"] && found.map(\.count) == [1, 5]
                && found[1].targets.count == CertificatesPage.namesOfRow)
        // Renewed, one by one.
        for slot in 0..<5 { table.set(leaf(3), expiry: sampleTime + .seconds(9000), slot: slot) }
        #expect(table.first(10, of: index).map(\.subject) == ["CN=2", "CN=3"] && table.count == 2)
        table.clear(slot: 5)
        table.set(leaf(4), expiry: sampleTime, slot: 5)
        #expect(table.first(1, of: index).map(\.subject) == ["CN=4"] && table.count == 2)
    }
}
