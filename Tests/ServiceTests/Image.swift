import Foundation
import TestSupport

/// The container image as `scripts/package` has written it: an OCI image layout, here unpacked from its tar.
struct Image {
    /// A reference of the layout to one of its blobs: https://github.com/opencontainers/image-spec/blob/main/descriptor.md
    struct Descriptor: Decodable {
        var mediaType: String
        var digest: String
        var size: Int
    }

    struct Index: Decodable { var manifests: [Descriptor] }

    struct Manifest: Decodable {
        var config: Descriptor
        var layers: [Descriptor]
    }

    struct Configuration: Decodable {
        struct Root: Decodable {
            var diffIDs: [String]
            enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
        }
        var rootfs: Root
    }

    /// What older Dockers read in place of the index.
    struct DockerManifest: Decodable {
        var config: String
        var layers: [String]
        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case layers = "Layers"
        }
    }

    let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        try await output("tar", ["-xf", try Packages().path(".oci.tar"), "-C", folder.path])
    }

    func decoded<Value: Decodable>(_ type: Value.Type, from file: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: folder.file(file))))
    }

    /// The blob's file in the layout.
    static func file(of digest: String) -> String { "blobs/" + digest.replacing(":", with: "/", maxReplacements: 1) }

    /// Every reference from the index on, in the order of the image: its manifest, its configuration, its layers.
    func descriptors() throws -> [Descriptor] {
        try decoded(Index.self, from: "index.json").manifests.flatMap { manifest in
            let content = try decoded(Manifest.self, from: Self.file(of: manifest.digest))
            return [manifest, content.config] + content.layers
        }
    }
}

/// The root of the image and how it is to be started, as umoci gives them to a container runtime.
struct Bundle {
    /// https://github.com/opencontainers/runtime-spec/blob/main/config.md
    struct Configuration: Decodable {
        struct Process: Decodable {
            struct User: Decodable { var uid, gid: Int }
            var user: User
            var args: [String]
            var env: [String]
            var cwd: String
        }
        var process: Process
    }

    let folder: TemporaryFolder
    let process: Configuration.Process
    var root: String { folder.file("bundle/rootfs") }

    /// umoci checks digests and sizes, too, and applies the layers.
    init(of image: Image) async throws {
        folder = try TemporaryFolder()
        let version = try Packages().path(".oci.tar").split(separator: "/").last?.split(separator: "-")[1] ?? ""
        try await output("umoci", ["unpack", "--image", "\(image.folder.path):\(version)", folder.file("bundle")])
        let text = try Data(contentsOf: URL(filePath: folder.file("bundle/config.json")))
        process = try JSONDecoder().decode(Configuration.self, from: text).process
    }

    /// Starts the image's program as a runtime does with `--read-only`: as the first process of its own processes, as the image's user, in
    /// the image's root, with a disk for its state.
    func start(_ arguments: [String]) throws -> ChildProcess {
        let (uid, gid) = (process.user.uid, process.user.gid)
        // The script is bash's, whose first argument is the root. A runtime brings /proc and /dev. The mounts stay in the namespace. In a
        // chroot, as on the fresh machine, / is no mount of its own and can't be made private, and what it is on is private already.
        let script = """
            set -e
            mount --make-rprivate / 2>/dev/null || true
            mount --bind "$0" "$0"
            mount -o remount,bind,ro "$0"
            mount -t tmpfs -o mode=0750,uid=\(uid),gid=\(gid) tmpfs "$0\(process.cwd)"
            mount -t proc proc "$0/proc"
            mount --rbind /dev "$0/dev"
            exec unshare --root="$0" --wd=\(process.cwd) --setgid=\(gid) --setuid=\(uid) "$@"
            """
        return try ChildProcess(
            "env",
            ["-i"] + process.env + [
                "unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork", "--kill-child", "bash", "-c", script, root,
            ]
                + arguments,
            errors: .withOutput)
    }

    /// Starts it, and waits for its end.
    func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let program = try start(arguments)
        return try await onThread {
            var output: [UInt8] = []
            program.endInput()
            while let more = program.readOutput() { output += more }
            return (program.waitForEnd(), String(decoding: output, as: UTF8.self))
        }
    }
}
