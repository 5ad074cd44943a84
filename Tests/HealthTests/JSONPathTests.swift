import Testing

@testable import Health

@Suite struct JSONPathTests {
    @Test(
        arguments: [
            ("$", []), ("$.status", [.member("status")]), ("$.a_1.b", [.member("a_1"), .member("b")]),
            ("$[0][-1]", [.index(0), .index(-1)]), ("$['a b'].c", [.member("a b"), .member("c")]),
            ("$[\"x\\\"y\"]", [.member("x\"y")]), ("$['']", [.member("")]), ("$.größe", [.member("größe")]),
        ] as [(String, [JSONPath.Step])])
    func readsASingularQuery(text: String, steps: [JSONPath.Step]) {
        #expect(JSONPath(text)?.steps == steps)
    }

    @Test(arguments: [
        "", "status", "$.", "$..a", "$.*", "$[*]", "$[0:2]", "$[01]", "$[-0]", "$[+1]", "$['a'", "$['a]", "$[a]", "$.1a", "$ .a",
        "$.a ",
        "$[?@.a]", "$['\\u0041']",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(JSONPath(text) == nil)
    }

    @Test func isBounded() {
        #expect(JSONPath("$" + String(repeating: "[0]", count: 64)) != nil)
        #expect(JSONPath("$" + String(repeating: "[0]", count: 65)) == nil)
    }

    @Test func scalarsReadAsJSONWritesThem() {
        #expect(JSONScalar.number(3).description == "3" && JSONScalar.number(0.5).description == "0.5")
        #expect(JSONScalar.text("a").description == "\"a\"" && JSONScalar.null.description == "null")
    }
}
