public import Logging

public let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
