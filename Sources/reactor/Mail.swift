import ArgumentParser

struct Mail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send mail, and make users of a relay.", subcommands: [MailSend.self, MailUser.self])
}
