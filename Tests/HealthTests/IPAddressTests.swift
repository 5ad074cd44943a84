import Health
import Testing

@Test(arguments: [
    ("127.0.0.1", "127.0.0.1"),
    ("255.255.255.255", "255.255.255.255"),
    ("::", "::"),
    ("::1", "::1"),
    ("1::", "1::"),
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:0db8::0001", "2001:db8::1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ("::ffff:7f00:2", "::ffff:127.0.0.2"),
    ("::fffe:192.0.2.1", "::fffe:c000:201"),
    ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1"),
])
func anAddressIsReadAndWrittenInItsCanonicalForm(text: String, canonical: String) {
    #expect(IPAddress(text)?.description == canonical)
}

@Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.-4", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "1..2.3", "１.2.3.4",
    ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::",
    "[::1]", "fe80::1%eth0", "::1/128", "1.2.3.4::", "::1.2.3.4:5", "1:1.2.3.4::1", "::+1", "::ffff:1.2.3",
])
func whatIsNoAddressIsNotRead(text: String) {
    #expect(IPAddress(text) == nil)
}

@Test func anAddressHasFourOrSixteenBytes() {
    #expect(IPAddress(bytes: [127, 0, 0, 1])?.isIPv4 == true)
    #expect(IPAddress(bytes: [UInt8](repeating: 0, count: 16))?.isIPv4 == false)
    #expect(IPAddress(bytes: [1, 2, 3]) == nil)
}

@Test(arguments: [
    ("::ffff:10.1.2.3", "10.1.2.3"),
    ("64:ff9b::10.1.2.3", "10.1.2.3"),
    ("2002:a01:203::1", "10.1.2.3"),
    ("::fffe:10.1.2.3", "::fffe:a01:203"),
    ("64:ff9b:1::10.1.2.3", "64:ff9b:1::a01:203"),
    ("2003:a01:203::1", "2003:a01:203::1"),
    ("10.1.2.3", "10.1.2.3"),
])
func theIPv4AddressInsideAnIPv6OneIsFound(text: String, inner: String) {
    #expect(IPAddress(text)?.unwrapped.description == inner)
}

@Test(arguments: [
    ("10.0.0.0/8", "10.255.255.255", true),
    ("10.0.0.0/8", "11.0.0.0", false),
    ("172.16.0.0/12", "172.31.255.255", true),
    ("172.16.0.0/12", "172.32.0.0", false),
    ("100.64.0.0/10", "100.127.255.255", true),
    ("100.64.0.0/10", "100.128.0.0", false),
    ("192.0.2.7", "192.0.2.7", true),
    ("192.0.2.7", "192.0.2.6", false),
    ("0.0.0.0/0", "203.0.113.9", true),
    ("0.0.0.0/0", "::1", false),
    ("::/0", "203.0.113.9", false),
    ("fe80::/10", "febf::1", true),
    ("fe80::/10", "fec0::1", false),
    ("10.9.9.9/8", "10.1.1.1", true),
])
func aBlockHoldsTheAddressesOfItsPrefix(block: String, address: String, isInside: Bool) throws {
    let block = try #require(CIDR(block))
    let address = try #require(IPAddress(address))
    #expect(block.contains(address) == isInside)
}

@Test(arguments: [
    "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "ten/8", "10.0.0/8",
])
func whatIsNoBlockIsNotRead(text: String) {
    #expect(CIDR(text) == nil)
}

@Test func aBareAddressIsABlockOfOne() {
    #expect(CIDR("192.0.2.7")?.description == "192.0.2.7/32")
    #expect(CIDR("::1")?.description == "::1/128")
}

@Test(arguments: [
    ("localhost", true), ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true),
    ("10.0.0.1", false), ("::", false), ("::2", false), ("::ffff:10.0.0.1", false), ("127.example.com", false), ("", false),
    ("64:ff9b::127.0.0.1", false), ("127.1", true), ("127.0.1", true), ("127.", false), ("127.1.2.3.4", false), ("127", false),
])
func aHostIsThisMachineByItsNameOrByALoopbackAddress(host: String, isThisMachine: Bool) {
    #expect(isLoopback(host: host) == isThisMachine)
}

/// The one is asked of a peer, the other of what a probe may connect to.
@Test(arguments: ["127.0.0.1", "127.255.0.1", "128.0.0.1", "126.255.255.255", "::1", "::2", "::", "192.0.2.1"])
func theEgressRulesLoopbackIsThisMachine(address: String) throws {
    let address = try #require(IPAddress(address))
    let denial = EgressRule(deny: [.addressClass(.loopback)]).denial(of: address)
    #expect((denial == .addressClass(.loopback)) == address.isLoopback)
}
