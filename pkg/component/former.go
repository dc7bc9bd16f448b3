package component

import (
	"slices"
	"strings"
)

// olderPython is what mautrix's bridges in Python but Telegram's have in common: mautrix-facebook v0.5.1, mautrix-instagram v0.3.1,
// mautrix-googlechat v0.5.2, mautrix-signal v0.4.3, each in mautrix_NAME/config.py and example-config.yaml. Which keys they read is not known here.
var olderPython = Shape{
	Dialect: OlderPython, Words: "mautrix's older Python bridges",
	Database: "appservice.database", Bot: "appservice.bot_username", Ghosts: "bridge.username_template",
	Encryption: "bridge.encryption", PuppetSecrets: "bridge.login_shared_secret_map", PuppetServers: "bridge.double_puppet_server_map",
	PublicOn: "appservice.public.enabled", PublicAddress: "appservice.public.external", Placeholder: "{userid}",
	Host: "0.0.0.0", LogFile: "./mautrix-{program}.log",
	Levels: []string{"relay", "user", "admin"}, Barred: []string{"relay"},
	Meant:    [][2]string{{"relaybot", "relay"}, {"puppeting", "user"}, {"full", "user"}, {"commands", "user"}},
	Mistaken: "they may not use the bridge",
	Pool:     Pool{"appservice.database_opts.max_size", 10},
	Held: []Held{
		{"appservice", "as_token", "", Chosen},
		{"appservice", "hs_token", "", Chosen},
		{"bridge.provisioning", "shared_secret", "", Chosen},
		{"appservice.public", "shared_secret", "", Chosen},
	},
}

// Former is a bridge that people still run and nothing is rendered for.
type Former struct {
	Images []string // the ends of the names of its images
	Bridge *Bridge
}

var olderReleases = []Release{{Version{}, OlderPython}}

// Formers are those whose configuration has the dialect OlderPython. What follows one stands in its README, or is the name that its repository
// has today.
var Formers = []*Former{
	{Images: []string{"mautrix/facebook", "mautrix-facebook"}, Bridge: &Bridge{
		Names: Names{ID: "facebook", Bot: "facebookbot", Prefix: "facebook", Port: 29319}, Former: "mautrix-facebook", Followed: "mautrix-meta", Module: "mautrix_facebook",
		Releases: olderReleases, Latest: OlderPython, Rolling: OlderPython,
	}},
	{Images: []string{"mautrix/instagram", "mautrix-instagram"}, Bridge: &Bridge{
		Names: Names{ID: "instagram", Bot: "instagrambot", Prefix: "instagram", Port: 29330}, Former: "mautrix-instagram", Followed: "mautrix-meta", Module: "mautrix_instagram",
		Releases: olderReleases, Latest: OlderPython, Rolling: OlderPython,
	}},
	{Images: []string{"mautrix/googlechat", "mautrix-googlechat"}, Bridge: &Bridge{
		Names: Names{ID: "googlechat", Bot: "googlechatbot", Prefix: "googlechat", Port: 29320}, Former: "mautrix-googlechat", Module: "mautrix_googlechat",
		Releases: olderReleases, Latest: OlderPython, Rolling: OlderPython,
	}},
	{Images: []string{"mautrix/hangouts", "mautrix-hangouts"}, Bridge: &Bridge{
		Names: Names{ID: "hangouts", Bot: "hangoutsbot", Prefix: "hangouts", Port: 29320}, Former: "mautrix-hangouts", Followed: "mautrix-googlechat", Module: "mautrix_hangouts",
		Releases: olderReleases, Latest: OlderPython, Rolling: OlderPython,
	}},
}

// Former is the former bridge in an image; nil for any other.
func (r Ref) Former() *Former {
	i := slices.IndexFunc(Formers, func(f *Former) bool {
		return slices.ContainsFunc(f.Images, func(end string) bool { return r.Repository == end || strings.HasSuffix(r.Repository, "/"+end) })
	})
	if i < 0 {
		return nil
	}
	return Formers[i]
}
