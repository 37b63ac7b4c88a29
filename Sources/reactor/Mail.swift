import ArgumentParser

struct Mail: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send mail.", subcommands: [MailSend.self])
}
