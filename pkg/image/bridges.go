package image

// BridgeDefaults is what differs between the bridges: the defaults of each bridge's own example
// configuration (mautrix v0.2608.0, discord v0.7.7), so that a rendered bridge has the names that its
// documentation uses. Ghosts are called <Prefix>_<id>.
type BridgeDefaults struct {
	Program        Program
	Title          string // in texts for people
	ID             string
	Bot            string
	DisplayName    string
	Avatar         string
	Prefix         string
	CommandPrefix  string
	Port           int
	Binary         string
	NeedsAPI       bool // Telegram's api_id and api_hash
	ImageTagPrefix string
}

// Bridges lists every bridge, in the order of all output.
var Bridges = []BridgeDefaults{
	{
		Program: Signal, Title: "Signal", ID: "signal", Bot: "signalbot", DisplayName: "Signal bridge bot",
		Avatar: "mxc://maunium.net/wPJgTQbZOtpBFmDNkiNEMDUp", Prefix: "signal", CommandPrefix: "!signal", Port: 29328, Binary: "/usr/bin/mautrix-signal",
	},
	{
		Program: WhatsApp, Title: "WhatsApp", ID: "whatsapp", Bot: "whatsappbot", DisplayName: "WhatsApp bridge bot",
		Avatar: "mxc://maunium.net/NeXNQarUbrlYBiPCpprYsRqr", Prefix: "whatsapp", CommandPrefix: "!wa", Port: 29318, Binary: "/usr/bin/mautrix-whatsapp",
	},
	{
		Program: Telegram, Title: "Telegram", ID: "telegram", Bot: "telegrambot", DisplayName: "Telegram bridge bot",
		Avatar: "mxc://maunium.net/tJCRmUyJDsgRNgqhOgoiHWbX", Prefix: "telegram", CommandPrefix: "!tg", Port: 29317, Binary: "/usr/bin/mautrix-telegram", NeedsAPI: true,
	},
	{
		Program: Discord, Title: "Discord", ID: "discord", Bot: "discordbot", DisplayName: "Discord bridge bot",
		Avatar: "mxc://maunium.net/nIdEykemnwdisvHbpxflpDlC", Prefix: "discord", CommandPrefix: "!discord", Port: 29334, Binary: "/usr/bin/mautrix-discord",
	},
	{
		Program: Meta, Title: "Facebook Messenger", ID: "facebook", Bot: "facebookbot", DisplayName: "Facebook Messenger bridge bot",
		Avatar: "mxc://maunium.net/ygtkteZsXnGJLJHRchUwYWak", Prefix: "facebook", CommandPrefix: "!fb", Port: 29319, Binary: "/usr/bin/mautrix-meta",
	},
	{
		// The ig- images hold the Instagram bridge under mautrix-meta's name.
		Program: Instagram, Title: "Instagram", ID: "instagram", Bot: "instagrambot", DisplayName: "Instagram bridge bot",
		Avatar: "mxc://maunium.net/JxjlbZUlCPULEeHZSwleUXQv", Prefix: "instagram", CommandPrefix: "!ig", Port: 29330, Binary: "/usr/bin/mautrix-meta", ImageTagPrefix: "ig-",
	},
}
