// Digests: what tells one text from another, and proves that a text comes from whoever knows a key.
// What lives here: SHA-256 and HMAC, as OpenSSL makes them.
// What doesn't: what is digested, and how a digest is written.

internal import COpenSSL

/// SHA-256 of some bytes (FIPS 180-4), or an HMAC with it (RFC 2104): 32 bytes.
///
/// OpenSSL makes it, because the probes link OpenSSL already. swift-crypto would bring BoringSSL, which takes minutes to build.
package struct Digest: Sendable {
    package let bytes: [UInt8]

    private static let isMissing = "OpenSSL has no SHA-256 here; look at openssl.cnf and OPENSSL_CONF"

    package init(of data: [UInt8]) {
        bytes = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
            guard SHA256(data, data.count, digest.baseAddress) != nil else { preconditionFailure(Self.isMissing) }
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }

    package init(of text: String) { self.init(of: Array(text.utf8)) }

    /// - Parameter key: of any length. RFC 2104 advises at least 32 bytes.
    package init(of data: [UInt8], key: [UInt8]) {
        bytes = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
            // An empty array may have no address, which OpenSSL wants. RFC 2104 fills a short key up with zeros, so a zero is the same key.
            let key = key.isEmpty ? [0] : key
            let made = HMAC(EVP_sha256(), key, Int32(key.count), data, data.count, digest.baseAddress, nil)
            guard made != nil else { preconditionFailure(Self.isMissing) }
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}

extension Digest: Equatable {
    /// In constant time: how long it takes says nothing of how far two digests agree.
    package static func == (one: Digest, other: Digest) -> Bool { CRYPTO_memcmp(one.bytes, other.bytes, one.bytes.count) == 0 }
}
