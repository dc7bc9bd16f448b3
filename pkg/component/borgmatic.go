package component

// Borgmatic makes the backup. It runs on the host.
const Borgmatic Program = "borgmatic"

var borgmatic = Component{
	Program: Borgmatic, Title: "borgmatic",
	ImageWord: "borgmatic",
	Container: &Container{},
	Keys:      "borgmatic",
	Secrets: []Secret{
		{
			Name:   "backup.passphrase",
			Breaks: "the repository keeps its old passphrase, and every backup fails: change it there first (RUNBOOK.md, Rotate)",
		},
		{
			Name: "backup.heartbeat_url", Kind: External, Where: "Uptime Kuma, the push monitor's push URL up to the question mark",
			Form: `^https?://[^?#\s]+$`, FormHelp: "it is a URL without a query", Example: "https://uptime.example.org/api/push/placeholder",
		},
	},
}
