import Configuration
import Foundation

/// What may be said of a relay: each as a flag `--name`, as REACTOR_SMTP_NAME in the environment, or as "name" in a file.
/// A flag comes first, then the environment, then the file.
enum RelaySetting: String, CaseIterable {
    case spool, hostname, allow, normalize, users, submission, resolver, lifetime
    case nextHop = "next-hop"
    case nextHopUser = "next-hop-user"
    case nextHopPasswordFile = "next-hop-password-file"
    case route
    case deliveryTLS = "delivery-tls"
    case relayDomain = "relay-domain"
    case ownName = "own-name"
    case ownAddress = "own-address"
    case authWithoutTLS = "auth-without-tls"
    case implicitTLS = "implicit-tls"
    case maxSize = "max-size"
    case maxRecipients = "max-recipients"
    case messagesPerMinute = "messages-per-minute"
    case greetDelay = "greet-delay"
    case deliveryPort = "delivery-port"
    case delayWarning = "delay-warning"
    case firstRetry = "first-retry"
    case keepFailed = "keep-failed"
    case metrics
    case logFormat = "log-format"

    /// May be given several times: as an array in a file, with commas between in the environment.
    var isList: Bool {
        switch self {
        case .allow, .normalize, .route, .deliveryTLS, .relayDomain, .ownName, .ownAddress, .resolver: true
        default: false
        }
    }

    var key: ConfigKey { ConfigKey([rawValue]) }
    var absoluteKey: AbsoluteConfigKey { AbsoluteConfigKey([rawValue]) }
}

/// What is wrong with the settings of a relay; one line each.
struct RelaySettingsError: Error, CustomStringConvertible {
    var problems: [String]
    var description: String { problems.joined(separator: "\n") }
}

/// Settings from a JSON file: one object whose names are those of the flags, and whose values are texts, numbers, truth
/// values, or arrays of texts.
struct RelayFile {
    let values: [AbsoluteConfigKey: ConfigValue]

    init(path: String) throws {
        let parsed: Any
        do {
            parsed = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw RelaySettingsError(problems: ["cannot read the configuration '\(path)': \(Self.reason(error))"])
        }
        guard let object = parsed as? [String: Any] else {
            throw RelaySettingsError(problems: ["'\(path)' is no JSON object: write {\"spool\": \"/var/spool/relay\", …}"])
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        var problems: [String] = []
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let setting = RelaySetting(rawValue: name) else {
                problems.append("'\(path)': there is no setting \"\(name)\"; reactor serve smtp --help names them, without their dashes")
                continue
            }
            if let content = Self.content(value, of: setting) {
                values[setting.absoluteKey] = ConfigValue(content, isSecret: false)
            } else {
                problems.append("'\(path)': \"\(name)\" wants \(setting.isList ? "an array of texts" : "one text, number or truth value")")
            }
        }
        if !problems.isEmpty { throw RelaySettingsError(problems: problems) }
        self.values = values
    }

    private static func content(_ value: Any, of setting: RelaySetting) -> ConfigContent? {
        if setting.isList {
            guard let list = value as? [Any] ?? text(value).map({ [$0] }) else { return nil }
            let texts = list.compactMap(text)
            return texts.count == list.count ? .stringArray(texts) : nil
        }
        return text(value).map(ConfigContent.string)
    }

    private static func text(_ value: Any) -> String? {
        switch value {
        case let text as String: text
        case let number as NSNumber: CFNumberIsBoolean(number) ? (number.boolValue ? "true" : "false") : number.stringValue
        default: nil
        }
    }

    private static func CFNumberIsBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    private static func reason(_ error: any Error) -> String {
        (error as NSError).userInfo["NSDebugDescription"] as? String ?? error.localizedDescription
    }
}
