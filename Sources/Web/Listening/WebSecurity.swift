import FoundationEssentials
import HTTPTypes
package import Health
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOSSL
import Synchronization

/// TLS, passwords and further headers of a listener; they can change while it listens, for the connections that come then.
package final class WebSecurity: Sendable {
    /// What is wanted, in PEM and in the words of exporter-toolkit.
    package struct Wanted: Sendable {
        package struct TLS: Sendable {
            package var certificateChain: String
            package var privateKey: Secret
            /// nil: clients are not asked for a certificate.
            package var clients: Clients?
            package var is13Least = false
            package var is12Most = false
            /// IANA's numbers (TLS Cipher Suites, TLS Supported Groups). Of the suites those of TLS 1.2, for 1.3 has only good ones: empty
            /// for all that are forward secret. Of the curves: empty for the library's choice.
            package var cipherSuites: [UInt16] = []
            package var curves: [UInt16] = []

            package init(certificateChain: String, privateKey: Secret) {
                (self.certificateChain, self.privateKey) = (certificateChain, privateKey)
            }
        }

        package struct Clients: Sendable {
            /// nil for the system's.
            package var authorities: String?
            package var isRequired: Bool
            package init(authorities: String?, isRequired: Bool) {
                (self.authorities, self.isRequired) = (authorities, isRequired)
            }
        }

        package var tls: TLS?
        package var headers: [String: String] = [:]
        package var users: [String: String] = [:]
        package init() {}
    }

    private struct State {
        var context: NIOSSLContext?
        var headers: HTTPFields = [:]
        var hasUsers = false
    }

    let passwords = Passwords()
    private let state = Mutex(State())

    package init() {}

    /// Whether a stranger on the network is kept out or at least can't listen.
    package var isOpen: Bool { state.withLock { $0.context == nil && !$0.hasUsers } }
    var context: NIOSSLContext? { state.withLock { $0.context } }
    var headers: HTTPFields { state.withLock { $0.headers } }
    package var hasUsers: Bool { state.withLock { $0.hasUsers } }
    package var hasTLS: Bool { context != nil }

    /// - Throws: when TLS can't be set up so; then everything stays as it was.
    package func replace(_ wanted: Wanted) throws {
        let context = try wanted.tls.map { try NIOSSLContext(configuration: Self.configuration($0)) }
        var headers: HTTPFields = [:]
        for (name, value) in wanted.headers { if let name = HTTPField.Name(name) { headers[name] = value } }
        passwords.replace(wanted.users)
        state.withLock { $0 = State(context: context, headers: headers, hasUsers: !wanted.users.isEmpty) }
    }

    /// For TLS 1.2: an ephemeral key on an elliptic curve, and authenticated encryption. The library's own choice has some without either:
    /// what was recorded of those can be read by whoever gets hold of the certificate's key later.
    private static let forwardSecret: [UInt16] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8]

    private static func configuration(_ tls: Wanted.TLS) throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(tls.certificateChain.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(tls.privateKey.reveal().utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = tls.is13Least ? .tlsv13 : .tlsv12
        configuration.maximumTLSVersion = tls.is12Most ? .tlsv12 : .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        configuration.cipherSuiteValues = (tls.cipherSuites.isEmpty ? forwardSecret : tls.cipherSuites).map { NIOTLSCipher($0) }
        if !tls.curves.isEmpty { configuration.curves = tls.curves.map { NIOTLSCurve(rawValue: $0) } }
        if let clients = tls.clients {
            // A client has no host name that could be compared.
            configuration.certificateVerification = clients.isRequired ? .noHostnameVerification : .optionalVerification
            if let authorities = clients.authorities {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
            }
        }
        return configuration
    }

    // MARK: Who asks

    enum Admission { case nobodyAsked, admitted, refused(Response) }

    /// Basic authentication (RFC 7617), where there are users.
    func admit(_ request: Request, over channel: any Channel) async -> Admission {
        guard hasUsers else { return .nobodyAsked }
        guard let (name, password) = Self.credentials(request.headers[.authorization]) else { return .refused(Self.unauthorized) }
        switch await passwords.check(name, password, from: channel) {
        case .right: return .admitted
        case .wrong: return .refused(Self.unauthorized)
        case .busy:
            var response = Response.text(.tooManyRequests, "too many passwords are being checked; try again in a moment")
            response.headers[.retryAfter] = "1"
            return .refused(response)
        }
    }

    private static var unauthorized: Response {
        var response = Response.text(.unauthorized, "a name and a password are needed")
        response.headers[.wwwAuthenticate] = "Basic realm=\"rangefinder\", charset=\"UTF-8\""
        return response
    }

    private static func credentials(_ header: String?) -> (name: String, password: String)? {
        guard let header else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let bytes = Data(base64Encoded: String(parts[1])),
            let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let pair = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return pair.count == 2 ? (String(pair[0]), String(pair[1])) : nil
    }
}
