import Health
import Testing

@Suite struct HTTPDateTests {
    private func read(_ text: String) -> String? { Timestamp(httpDate: text.utf8)?.description }

    /// RFC 9110 section 5.6.7's own example in its three forms, and forms that servers make up.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06-Nov-1994 08:49:37 GMT", "6 nov 1994 8:49:37", "sun, 06 november 94 08:49:37 +0000",
    ])
    func everyFormIsRead(text: String) { #expect(read(text) == "1994-11-06T08:49:37.000Z") }

    @Test func aYearOfTwoDigitsIsOneBetween1970And2069() {
        #expect(read("Thu, 01-Jan-70 00:00:00 GMT") == "1970-01-01T00:00:00.000Z")
        #expect(read("Thu, 01-Jan-69 00:00:00 GMT") == "2069-01-01T00:00:00.000Z")
    }

    @Test(arguments: [
        "", "0", "soon", "Sun, 06 Nov 1994", "Sun, 31 Feb 2024 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1600 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 19941 08:49:37 GMT", "06 Nov 1994 08:49", "06 Nov 1994 08:49x:37",
    ])
    func whatIsNoDateIsNone(text: String) { #expect(read(text) == nil) }
}
