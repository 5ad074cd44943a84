import Testing

@Test func noTypeIsLongerThanItsBoundOverAllItsExtensions() throws {
    for module in try Repository.folders(in: "Sources") {
        var lengths = TypeLengths()
        for file in try Repository.files(in: "Sources/\(module)", named: ".swift") { lengths.add(try Repository.text(of: file)) }
        #expect(lengths.violations == [], "\(module)")
        #expect(!lengths.lines.isEmpty || module.hasPrefix("C"), "\(module): no type was found")
    }
}

@Test func aTypeIsMeasuredOverItsExtensionsAndFiles() {
    var lengths = TypeLengths()
    lengths.add(
        """
        package final class Loop: Sendable {
            struct Inner {
                let brace = "{"
            }
        }

        extension Loop.Inner { func go() {} }
        """)
    lengths.add("@MainActor\nextension Loop: CustomStringConvertible {\n}\n\nfunc free() {\n}\n")
    #expect(lengths.lines == ["Loop": 7, "Loop.Inner": 1])
}

@Test func aTypePastItsBoundIsFound() {
    var lengths = TypeLengths()
    let half = String(repeating: "    // So many lines.\n", count: TypeLengths.longestType / 2 - 1)
    lengths.add("struct Long {\n\(half)}\n")
    lengths.add("extension Long {\n\(half)}\n")
    #expect(lengths.violations == ["Long: 402 lines"])
}
