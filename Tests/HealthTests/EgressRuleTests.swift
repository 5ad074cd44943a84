import Health
import Testing

private func denial(of text: String, by rule: EgressRule = EgressRule()) throws -> String? {
    let address = try #require(IPAddress(text))
    return rule.denial(of: address)?.description
}

@Test(arguments: [
    ("10.0.0.1", "private"), ("172.16.0.1", "private"), ("192.168.255.255", "private"), ("100.64.0.1", "private"),
    ("fc00::1", "private"), ("fdff::1", "private"), ("fec0::1", "private"), ("feff:ffff::1", "private"),
    ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("::1", "loopback"),
    ("169.254.0.1", "link-local"), ("fe80::1", "link-local"), ("febf::1", "link-local"),
    ("192.0.0.192", "metadata"),
])
func theDefaultRuleDeniesEveryClassByItsName(address: String, denied: String) throws {
    #expect(try denial(of: address) == denied)
}

@Test(arguments: ["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"])
func everyMetadataAddressIsDeniedByThatClassAlone(address: String) throws {
    let rule = EgressRule(deny: [.addressClass(.metadata)])
    #expect(try denial(of: address, by: rule) == "metadata")
}

@Test(arguments: ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.255.255.255", "ff02::1", "240.0.0.1", "255.255.255.255"])
func whatCanNeverBeATargetIsDeniedEvenWithAnEmptyDenyList(address: String) throws {
    #expect(try denial(of: address, by: EgressRule(deny: [])) == "unspecified, multicast or reserved")
}

@Test(arguments: ["0.0.0.0/8", "0.0.0.0/0"])
func aBlockInAllowOpensEvenWhatCanNeverBeATarget(block: String) throws {
    let rule = EgressRule(allow: [try #require(CIDR(block))])
    #expect(try denial(of: "0.0.0.0", by: rule) == nil)
}

@Test(arguments: ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "192.0.0.191"])
func publicAddressesAreAllowed(address: String) throws {
    #expect(try denial(of: address) == nil)
}

@Test(arguments: [
    "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "::ffff:0.0.0.0", "64:ff9b::e000:1",
])
func anIPv4AddressInsideAnIPv6OneIsJudgedAsThatIPv4Address(address: String) throws {
    #expect(try denial(of: address) != nil)
}

@Test(arguments: [
    ("::10.0.0.1", "private"), ("::127.0.0.1", "loopback"), ("::169.254.169.254", "link-local"), ("::1", "loopback"),
    ("::ffff:0:10.0.0.1", "private"), ("::ffff:0:169.254.169.254", "link-local"),
    // 64:ff9b:1::/48, by each length of a prefix that RFC 6052 has: 96, 48, 56 and 64.
    ("64:ff9b:1::10.0.0.1", "private"), ("64:ff9b:1:a00:0:100::", "private"), ("64:ff9b:1:7f:0:1::", "loopback"),
    ("64:ff9b:1:0:a9:fea9:fe00::", "link-local"),
    // Teredo: by its server, by its client.
    ("2001:0:a00:1::f7f7:f7f7", "private"), ("2001:0:808:808:0:0:f5ff:fffe", "private"),
    ("2001:0:808:808:0:0:80ff:fffe", "loopback"), ("2001:0:808:808:0:0:5601:5601", "link-local"),
])
func anAddressIsJudgedByWhatATranslatorOrATunnelMakesOfIt(address: String, denied: String) throws {
    #expect(try denial(of: address) == denied)
}

@Test(arguments: [
    "64:ff9b::8.8.8.8", "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b:1::8.8.8.8", "64:ff9b:1:808:8:800::",
    "2001:0:808:808::f7f7:f7f7", "2001:1::a00:1", "64:ff9b:2::a00:1",
])
func aPublicIPv4AddressInsideAnIPv6OneIsAllowed(address: String) throws {
    #expect(try denial(of: address) == nil)
}

@Test func aBlockInAllowOpensATunnelOnlyWhereItOpensBothItsEnds() throws {
    let rule = EgressRule(allow: [try #require(CIDR("10.0.0.0/8"))])
    #expect(try denial(of: "2001:0:a00:1::f5ff:fffe", by: rule) == nil)
    #expect(try denial(of: "2001:0:a00:1::3f57:fefe", by: rule) == "private")
    #expect(try denial(of: "::10.0.0.1", by: rule) == nil)
}

@Test func allowIsStrongerThanDeny() throws {
    let rule = EgressRule(allow: [try #require(CIDR("10.1.0.0/16"))])
    #expect(try denial(of: "10.1.2.3", by: rule) == nil)
    #expect(try denial(of: "::ffff:10.1.2.3", by: rule) == nil)
    #expect(try denial(of: "10.2.2.3", by: rule) == "private")
}

@Test func allowingAllOfIPv6DoesNotOpenTheIPv4AddressesCarriedInIt() throws {
    let rule = EgressRule(allow: [try #require(CIDR("::/0"))])
    #expect(try denial(of: "::ffff:127.0.0.1", by: rule) == "loopback")
    #expect(try denial(of: "fe80::1", by: rule) == nil)
}

@Test func aBlockInDenyIsNamedAsItIsWritten() throws {
    let rule = EgressRule(deny: [.block(try #require(CIDR("203.0.113.0/24")))])
    #expect(try denial(of: "203.0.113.9", by: rule) == "203.0.113.0/24")
    #expect(try denial(of: "203.0.114.9", by: rule) == nil)
}

@Test func aClassLeftOutOfDenyIsAllowed() throws {
    let rule = EgressRule(deny: [.addressClass(.metadata)])
    #expect(try denial(of: "10.0.0.1", by: rule) == nil)
    #expect(try denial(of: "127.0.0.1", by: rule) == nil)
}
