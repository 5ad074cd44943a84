import Foundation
import TestSupport

/// Debian's nginx over TLS and HTTP/2, with the authority's folder for its pages, and headers longer than libcurl's buffer.
final class Nginx: Sendable {
    let port: Int
    private let process: ChildProcess
    private let folder: TemporaryFolder

    init(_ authority: TestAuthority) throws {
        folder = authority.folder
        let certificate = try authority.issue("nginx")
        port = try freePort()
        let headers = (1...5).map { "add_header X-Long-\($0) \(String(repeating: "x", count: 2800));" }.joined(separator: "\n")
        let configuration = """
            daemon off; master_process off; error_log stderr notice; pid pid;
            events {}
            http {
                log_format connections "$connection";
                access_log accesses connections;
                client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                server {
                    listen 127.0.0.1:\(port) ssl http2;
                    ssl_certificate \(folder.file(certificate)).crt;
                    ssl_certificate_key \(folder.file(certificate)).key;
                    root \(folder.path);
                    \(headers)
                }
            }
            """
        try folder.write(configuration, to: "nginx.conf")
        let process = try ChildProcess(
            "/usr/sbin/nginx", ["-p", folder.path, "-c", folder.file("nginx.conf"), "-e", "stderr"], errors: .withOutput)
        self.process = process
        // It listens by the time that it says how it waits.
        var text = ""
        while !text.contains("event method") {
            guard let more = process.readOutput() else {
                process.end()
                throw SupportError("nginx: \(text)")
            }
            text += String(decoding: more, as: UTF8.self)
        }
        Thread.detachNewThread { while process.readOutput() != nil {} }
    }

    deinit { process.end() }

    /// The numbers of the connections by which requests came.
    func connections() throws -> Set<Substring> {
        Set(try String(contentsOfFile: folder.file("accesses"), encoding: .utf8).split(separator: "\n"))
    }
}
