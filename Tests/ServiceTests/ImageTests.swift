import Foundation
import Glibc
import TestSupport
import Testing

/// The container image, without a container engine.
@Suite(.enabled(if: Packages.isThere, "\(Packages.whyNot)"), .timeLimit(.minutes(5)))
struct ImageTests {
    @Test func everyBlobHasTheDigestAndTheSizeByWhichItIsReferredTo() async throws {
        let image = try await Image()
        let descriptors = try image.descriptors()
        #expect(descriptors.count == 4)
        let files = descriptors.map { image.folder.file(Image.file(of: $0.digest)) }
        #expect(try await digests(of: files) == descriptors.map { String($0.digest.dropFirst("sha256:".count)) })
        for (file, descriptor) in zip(files, descriptors) {
            let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
            #expect(size == descriptor.size, "\(file)")
        }
        // Nothing in it that nobody refers to.
        let blobs = try FileManager.default.contentsOfDirectory(atPath: image.folder.file("blobs/sha256"))
        #expect(Set(blobs) == Set(descriptors.map { String($0.digest.dropFirst("sha256:".count)) }))
    }

    @Test func theLayersAreThoseThatTheConfigurationNamesAndDockerReads() async throws {
        let image = try await Image()
        let descriptors = try image.descriptors()
        let configuration = try image.decoded(Image.Configuration.self, from: Image.file(of: descriptors[1].digest))
        var unpacked: [String] = []
        for layer in descriptors[2...] {
            let file = image.folder.file(Image.file(of: layer.digest))
            let digest = try await output("bash", ["-c", "gzip -dc <\"$0\" | sha256sum", file]).prefix(64)
            unpacked.append("sha256:\(digest)")
        }
        #expect(configuration.rootfs.diffIDs == unpacked)
        let docker = try image.decoded([Image.DockerManifest].self, from: "manifest.json")
        #expect(docker.map(\.config) == [Image.file(of: descriptors[1].digest)])
        #expect(docker.map(\.layers) == [descriptors[2...].map { Image.file(of: $0.digest) }])
    }

    @Test(.enabled(if: getuid() == 0, "only root can start the program in the root of the image"))
    func theProgramRunsInTheImageAndEndsWhenItIsTold() async throws {
        let bundle = try await Bundle(of: Image())
        #expect(bundle.process.user.uid == 10115 && bundle.process.user.gid == 10115)
        #expect(bundle.process.args == ["/usr/bin/rangefinder", "run", "--config", "/etc/rangefinder/rangefinder.yaml"])
        let program = bundle.process.args[0]
        let version = try await bundle.run([program, "--version"])
        #expect(version.status == 0 && version.output.hasPrefix("rangefinder "), "\(version)")

        try bundle.folder.write(
            """
            vantage: image
            listen: 127.0.0.1:0
            targets_api: {base_url: "http://127.0.0.1:9", clients: [{id: c, token_file: user-token}]}

            """, to: "bundle/rootfs/etc/rangefinder/rangefinder.yaml")
        // As a runtime mounts a secret: for the user of the image alone.
        let secret = try bundle.folder.write("t0ken-4711\n", to: "bundle/rootfs/run/secrets/rangefinder/user-token")
        #expect(chmod(secret, 0o400) == 0 && chown(secret, 10115, 10115) == 0)
        let checked = try await bundle.run([program, "check-config", "--config", "/etc/rangefinder/rangefinder.yaml"])
        #expect(checked.status == 0, "\(checked.output)")
        try await answersUntilItIsTold(bundle)
    }

    private func answersUntilItIsTold(_ bundle: Bundle) async throws {
        let daemon = try bundle.start(bundle.process.args)
        var hasEnded = false
        defer { if !hasEnded { daemon.end() } }
        daemon.endInput()
        let said = try await onThread { () -> String in
            var said: [UInt8] = []
            while let more = daemon.readOutput() {
                said += more
                if String(decoding: said, as: UTF8.self).contains(/listening address=127.0.0.1:\d+\n/) { break }
            }
            return String(decoding: said, as: UTF8.self)
        }
        guard let port = said.firstMatch(of: /listening address=127.0.0.1:(\d+)\n/).flatMap({ Int($0.1) }) else {
            throw SupportError("the daemon doesn't listen:\n\(said)")
        }
        let answer = try await exchange(port, WireRequest("GET", "/-/healthy"))
        #expect(answer.status == 200 && answer.text == "healthy\n")
        // unshare waits for the daemon, and ends as it ends. The signal is for the daemon.
        let child = try await output("pgrep", ["-P", "\(daemon.processID)"]).split(separator: "\n").first
        let pid = try #require(child.flatMap { pid_t($0) })
        try await obeysWithoutAShell(pid, bundle)
        #expect(kill(pid, SIGTERM) == 0)
        let status = try await onThread {
            while daemon.readOutput() != nil {}
            return daemon.waitForEnd()
        }
        hasEnded = true
        #expect(status == 0)
    }

    /// What docs/deployment.md has for `podman exec` and `kubectl exec`. `kubectl cp` runs tar.
    private func obeysWithoutAShell(_ pid: pid_t, _ bundle: Bundle) async throws {
        let user = bundle.process.user
        let inside = [
            "--target", "\(pid)", "--mount", "--pid", "--root", "--wd", "--setuid", "\(user.uid)", "--setgid", "\(user.gid)",
        ]
        for command in [
            "/usr/bin/rangefinder status --config /etc/rangefinder/rangefinder.yaml",
            "/usr/bin/rangefinder reload --database history.db",
            "/usr/bin/rangefinder history backup backup.db --database history.db", "/usr/bin/tar cf - backup.db",
        ] {
            try await output("nsenter", inside + command.split(separator: " ").map(String.init))
        }
    }

    @Test func theImageHasNoShellAndTheAuthoritiesOfDebian() async throws {
        let unpacked = try await Bundle(of: Image())
        let root = unpacked.root
        for program in ["sh", "bash", "dash", "apt-get", "dpkg"] {
            #expect(access("\(root)/usr/bin/\(program)", F_OK) != 0, "\(program)")
        }
        let bundle = try String(contentsOfFile: "\(root)/etc/ssl/certs/ca-certificates.crt", encoding: .utf8)
        let folder = "\(root)/usr/share/ca-certificates/mozilla"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.count > 50)
        #expect(bundle.split(separator: "-----BEGIN CERTIFICATE-----").count == files.count)
        for file in files {
            let one = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let isThere = bundle.contains(one.trimmingCharacters(in: .whitespacesAndNewlines))
            #expect(isThere, "\(file)")
        }
    }
}
