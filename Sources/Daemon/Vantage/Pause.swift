/// Waits for half a second, for services that check something again and again. False when the task was cancelled meanwhile.
func halfASecondPassed() async -> Bool { (try? await Task.sleep(for: .milliseconds(500))) != nil }
