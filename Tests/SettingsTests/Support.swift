import Health
import Settings

/// A machine that holds what the tests need, in memory.
func machine(files: [String: [UInt8]] = [:], environment: [String: String] = [:]) -> ProcessEnvironment {
    ProcessEnvironment(
        readFile: { (path, limit) throws(FileProblem) in
            guard let bytes = files[path] else { throw .notFound }
            guard bytes.count <= limit else { throw .tooLarge }
            return bytes
        },
        environment: { environment[$0] },
        hostName: "this-host",
        userAgent: "rangefinder/1.2.3")
}

func machine(texts: [String: String], environment: [String: String] = [:]) -> ProcessEnvironment {
    machine(files: texts.mapValues { Array($0.utf8) }, environment: environment)
}

/// Reads a configuration that lies in `/etc/rangefinder`.
func read(_ yaml: String, on machine: ProcessEnvironment = machine()) -> Reading {
    Settings.read(Array(yaml.utf8), path: "/etc/rangefinder/rangefinder.yaml", surroundings: machine)
}

/// As in `2:3: message`.
func lines(_ reading: Reading) -> [String] {
    reading.diagnostics.map { String($0.text(file: "").dropFirst()) }
}

func target(name: String = "Stripe API", region: String = "us-east-1", id: String = "tgt_789e4567") -> Target {
    Target(
        identity: TargetIdentity(clientID: "one", key: id), name: name, baseURL: "https://api.stripe.com",
        testPath: "/v1/customers", region: region)
}
