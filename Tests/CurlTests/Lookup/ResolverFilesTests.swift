import TestSupport
import Testing

@testable import Curl

@Suite struct ResolverConfigurationTests {
    private func read(_ text: String?, options: String? = nil) -> ResolverConfiguration {
        ResolverConfiguration(text, options: options, hostName: "moon.example.test")
    }

    @Test func aMachineWithoutTheFileAsksItself() {
        let configuration = read(nil)
        #expect(configuration.servers.map(\.text) == ["127.0.0.1"] && configuration.searchDomains == ["example.test"])
        #expect(configuration.seconds == 1 && configuration.attempts == 3)
    }

    @Test func threeServersCount() {
        let configuration = read(
            "nameserver 192.0.2.1\nnameserver 2001:db8::1\n; no\n# no\nnameserver x\nnameserver 192.0.2.3\nnameserver 192.0.2.4")
        #expect(configuration.servers.map(\.text) == ["192.0.2.1", "2001:db8::1", "192.0.2.3"])
        #expect(configuration.attempts == 2 && !configuration.isForSystemAlone)
    }

    @Test func theOptionsOfTheFileAndThenOfTheEnvironmentCount() {
        let configuration = read(
            "options timeout:3 attempts:4 rotate use-vc\nnameserver 192.0.2.1", options: "timeout:2 single-request")
        #expect(configuration.seconds == 2 && configuration.attempts == 4)
        #expect(configuration.rotates && configuration.usesTCP && configuration.asksOneByOne && !configuration.isWithoutIPv6)
        let bounded = read("options timeout:99 attempts:99 no-aaaa")
        #expect(bounded.seconds == 30 && bounded.attempts == 5 && bounded.isWithoutIPv6)
    }

    @Test func theLastSearchListCounts() {
        #expect(read("search a.test b.test\ndomain c.test").searchDomains == ["c.test"])
        #expect(read("domain c.test\nsearch a.test b.test").searchDomains == ["a.test", "b.test"])
        #expect(read("search .").searchDomains == [])
    }

    @Test func aServerWithAZoneIsTheSystemsToAsk() {
        #expect(read("nameserver fe80::1%eth0").isForSystemAlone)
    }
}

@Suite struct NameServiceSwitchTests {
    @Test(arguments: [
        nil, "", "passwd: files\n", "hosts: files dns", "hosts:files dns\n", "  hosts:\tfiles dns # mdns",
        "hosts: files myhostname dns", "hosts: dns [!UNAVAIL=return] files", "hosts: db\nhosts: files dns",
        "hosts: files mdns4_minimal [NOTFOUND=return] dns", "hosts: files resolve [!UNAVAIL=return] dns myhostname",
        "hosts: dns ldap",
    ])
    func namesAreAskedOfDNSWhereOnlyModulesStandBeforeItWhoseNamesWeKnow(_ text: String?) {
        #expect(NameServiceSwitch(text).asksDNS)
    }

    @Test(arguments: [
        "hosts: files", "hosts:", "hosts: ldap dns", "hosts: files mdns4 dns", "hosts: files [NOTFOUND=return] dns",
        "hosts: files [SUCCESS=merge] dns", "hosts: files dns [SUCCESS=continue] ldap", "hosts: files dns\nhosts: files",
    ])
    func everyNameIsTheSystemsWhereItMakesTheAnswerItself(_ text: String) {
        #expect(!NameServiceSwitch(text).asksDNS)
    }

    @Test func theModulesSayWhichNamesAreTheirs() {
        let multicast = NameServiceSwitch("hosts: files mdns4_minimal[NOTFOUND=return] dns")
        #expect(multicast.isLocalMulticast && !multicast.knowsOwnName && !multicast.asksResolvedFirst)
        let resolved = NameServiceSwitch("hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns")
        #expect(!resolved.asksDNS && resolved.asksResolvedFirst && resolved.knowsOwnName)
        #expect(NameServiceSwitch("hosts: files dns mymachines").goesOnAfterDNS)
        #expect(!NameServiceSwitch("hosts: files dns myhostname mdns4").goesOnAfterDNS)
    }
}

@Suite struct SystemFilesTests {
    private static let second: UInt64 = 1_000_000_000
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func files(
        hosts: String = "", services: String = "hosts: files dns", resolvConf: String = "nameserver 192.0.2.1"
    ) throws -> SystemFiles {
        var files = SystemFiles(
            ResolverFiles(
                hosts: try folder.write(hosts, to: "hosts"), nameServiceSwitch: try folder.write(services, to: "nsswitch.conf"),
                resolvConf: try folder.write(resolvConf, to: "resolv.conf"),
                families: { MachineFamilies(hasIPv4: true, hasIPv6: false) }))
        files.look(now: 0)
        return files
    }

    private func name(_ host: String, search: Bool = false, family: TransferRequest.Family = .any) -> LookupName {
        LookupName(host: host, family: family, usesSearchDomains: search)
    }

    @Test(arguments: ["www.example.test", "www.example.test.", "_a.b_c.test", "1.2.3.4.5", "printer.local", "a.localhost.test"])
    func aNameWithADotIsDNSs(_ host: String) throws { #expect(try files().route(name(host)) == .dns) }

    @Test(arguments: [
        "localhost", "moon", "moon.", "a.localhost", "a.localhost.", "127.1", "0x7f.1", "1.2.3", "a..test", "a b.test", "-a.test",
        String(repeating: "a", count: 64) + ".test",
    ])
    func otherNamesAreTheSystems(_ host: String) throws { #expect(try files().route(name(host)) == .system) }

    @Test func namesOfTheHostsFileAreTheSystems() throws {
        let files = try files(hosts: "192.0.2.1 a.test\tB.test # c.test\n#192.0.2.1 d.test\n2001:db8::1 e.test")
        let routes = ["a.test", "b.test", "c.test", "d.test", "e.test", "192.0.2.1"].map { files.route(name($0)) }
        #expect(routes == [.system, .system, .dns, .dns, .system, .system])
    }

    @Test func namesThatWantSearchDomainsAreTheSystems() throws {
        #expect(try files().route(name("a.test", search: true)) == .system)
    }

    @Test func namesOfMulticastAreTheSystemsWhereTheSystemAsksByMulticast() throws {
        let files = try files(services: "hosts: files mdns4_minimal [NOTFOUND=return] dns")
        #expect(files.route(name("printer.local")) == .system && files.route(name("a.test")) == .dns)
    }

    @Test func namesAreTheSystemsWhereResolvedIsAskedAndAnotherServerIsNamed() throws {
        let services = "hosts: files resolve [!UNAVAIL=return] dns"
        #expect(try files(services: services).route(name("a.test")) == .system)
        #expect(try files(services: services, resolvConf: "nameserver 127.0.0.53").route(name("a.test")) == .dns)
    }

    @Test func anotherFamilyThanTheFileWantsIsTheSystems() throws {
        let files = try files(resolvConf: "options no-aaaa")
        #expect(files.route(name("a.test", family: .v6)) == .system && files.route(name("a.test")) == .dns)
    }

    @Test func filesThatCannotBeReadAreAsGoodAsEmpty() {
        var files = SystemFiles(ResolverFiles(hosts: "/nowhere", nameServiceSwitch: "/nowhere", resolvConf: "/nowhere"))
        files.look(now: 0)
        #expect(files.route(name("a.test")) == .dns && files.configuration.servers.map(\.text) == ["127.0.0.1"])
    }

    @Test func aChangedFileIsReadAgainAfterASecond() throws {
        var files = try files()
        try folder.write("192.0.2.1 a.test", to: "hosts")
        try folder.write("nameserver 192.0.2.2", to: "resolv.conf")
        files.look(now: Self.second - 1)
        #expect(files.route(name("a.test")) == .dns && files.configuration.servers.map(\.text) == ["192.0.2.1"])
        files.look(now: Self.second)
        #expect(files.route(name("a.test")) == .system && files.configuration.servers.map(\.text) == ["192.0.2.2"])
        try folder.write("hosts: files", to: "nsswitch.conf")
        files.look(now: 2 * Self.second)
        #expect(files.route(name("b.test")) == .system)
    }

    @Test func bothFamiliesAreAskedForOnlyWhereTheMachineHasBoth() {
        let both = MachineFamilies(hasIPv4: true, hasIPv6: true)
        #expect(both.types(for: .any, isWithoutIPv6: false) == [.a, .aaaa])
        #expect(both.types(for: .any, isWithoutIPv6: true) == [.a])
        #expect(MachineFamilies(hasIPv4: true, hasIPv6: false).types(for: .any, isWithoutIPv6: false) == [.a])
        #expect(MachineFamilies(hasIPv4: false, hasIPv6: true).types(for: .any, isWithoutIPv6: false) == [.aaaa])
        // With loopback alone, as in a container without a network.
        #expect(MachineFamilies(hasIPv4: false, hasIPv6: false).types(for: .any, isWithoutIPv6: false) == [.a, .aaaa])
        #expect(MachineFamilies(hasIPv4: true, hasIPv6: false).types(for: .v6, isWithoutIPv6: false) == [.aaaa])
    }
}
