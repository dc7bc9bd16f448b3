package check

import (
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var bridgeKnownKeys = Rule{
	ID: "bridge-known-keys", Severity: finding.Error,
	Summary: "a bridge knows every key of its configuration, and every value has the type it wants",
	Why:     "A mistyped key changes nothing: no bridge says a word about it. Of a value of the wrong type the Go bridges log \"Ignoring incorrect config field type !!str at encryption->allow\" and go by the default, so that encryption is off; yes and no are texts to them. With env_config_prefix a variable of that prefix which is no setting ends it: \"Failed to parse environment variables: appservice->prot not found\".",
	Fix:     "Write the key as the bridge's example configuration has it, where it has it; true or false for a switch, numbers without quotes.",
	Source:  "mautrix-go v0.30.0 bridgev2/bridgeconfig/upgrade.go, v0.32.0 bridgev2/matrix/mxmain/envconfig.go; go.mau.fi/util v0.10.0 configupgrade; the examples of mautrix v0.2608.0, discord v0.7.7, telegram v0.15.3",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			if b.Misread() {
				continue // bridge-dialect says so
			}
			if b.About.Former != "" {
				followed := ""
				if b.About.Followed != "" {
					followed = ", which is no longer maintained and followed by " + b.About.Followed
				}
				r.NotChecked(b.Name+" is "+b.About.Former+followed+"; which keys it reads is not known here", b.ImageAt.Site(""))
				continue
			}
			if b.Program == component.Unknown {
				r.NotChecked(b.Name+" is known for a bridge by its configuration alone; which keys its program reads, and how it starts, is not known", b.ImageAt.Site(""))
				continue
			}
			if was, _ := b.Image.Dialect(); was == component.OlderPython {
				r.NotChecked(b.Image.String()+" is a release of the bridge in Python, which the one in Go has followed; which keys it reads is not known here", b.ImageAt.Site(""))
				continue
			}
			if b.Older() {
				r.NotChecked("what "+b.Image.String()+" reads is not known; only its releases since bridgev2 are", b.ImageAt.Site(""))
				continue
			}
			how := reading{
				d: d, program: b.Name,
				unknown: "the bridge ignores it and goes by its default",
				wrong:   "the bridge ignores it and goes by its default",
				refused: "the bridge does not start",
				report:  reportKey(r, r.FailMend, b, b.Keys().Read),
				ignored: reportKey(r, r.WarnMend, b, b.Keys().Read),
			}
			if b.Dialect.InPython() {
				how.wrong = "the bridge takes it as it is, and any text for true"
			}
			for _, v := range b.Settings() {
				how.passed = append(how.passed, v.At.Pos())
			}
			var odd []place
			how.gather = func(p place) { odd = append(odd, p) }
			config := place{value: b.Config.Root(), known: knownKeys(b.Keys().Keys)}
			how.check(config)
			tellOdd(r, b, b.Keys().Read, odd)
			config.visit(func(p place) { checkBridgeRelease(r, b, p) })
			if b.Dialect == component.BridgeV2 {
				checkBridgeEnvironment(r, b)
				how.report, how.ignored = reportKey(r, r.FailMend, b, b.About.NetworkRead), reportKey(r, r.WarnMend, b, b.About.NetworkRead) // narrower: each bridge has that section to itself
				odd = nil
				how.check(place{value: b.Config.At("network"), known: networkKeys(b.Component()), path: "network"})
				tellOdd(r, b, b.About.NetworkRead, odd)
			}
		}
	},
}

// tellOdd has one finding for the keys that a bridge does not know: most often its configuration is that of another release.
func tellOdd(r *Reporter, b *deployment.Bridge, read component.Span, odd []place) {
	severally(r, odd, func(p place) []source.Site { return []source.Site{p.value.Site("")} }, func(r *Reporter, odd []place) {
		var keys []string
		var sites []source.Site
		for _, p := range odd {
			keys, sites = append(keys, p.path), append(sites, p.value.Site(""))
		}
		message := b.Name + " knows no " + keys[0] + "; the bridge ignores it and goes by its default"
		if len(keys) > 1 {
			message = b.Name + " knows none of " + finding.Sentence(deployment.AtMost(keys, 4), "and") + "; the bridge ignores them and goes by its defaults"
		}
		reportKey(r, r.WarnMend, b, read)(message, mend{text: removeIt}, sites...)
	})
}

// reportKey only warns where another release may have other keys.
func reportKey(r *Reporter, known func(message string, fix mend, sites ...source.Site), b *deployment.Bridge, read component.Span) func(message string, fix mend, sites ...source.Site) {
	v, ok := b.Image.Version()
	if b.Dialect == component.BridgeV2 { // a patch of the Go bridges changes no key
		v[2] = 0
	}
	tested := b.Keys().Read.Last
	return func(message string, fix mend, sites ...source.Site) {
		if ok && !v.Less(read.First) && (!read.Last.Less(v) || fix.text != removeIt && !tested.Less(v)) {
			known(message, fix, sites...)
			return
		}
		r.Warn(message+", unless "+b.Image.String()+" has other keys than "+read.Last.String(), fix.text, append(sites, b.ImageAt.Site("the image"))...)
	}
}

// checkRelease has the keys that came after the first release that is rendered for.
func checkBridgeRelease(r *Reporter, b *deployment.Bridge, p place) {
	v, ok := b.Image.Version()
	if !ok || p.known.Kind() != source.Scalar {
		return
	}
	first, _ := releases(strings.Split(p.known.Str(), "|")[0])
	if v.Less(first) {
		tag := b.Image
		tag.Tag, tag.Digest = component.Of(b.Program).Tested.Tag, ""
		r.Fail(fmt.Sprintf("%s begins with %s, and this is %s; the bridge ignores it", p.path, first, b.Image.Tag),
			b.ImageLine(tag), b.ImageAt.Site(""), p.value.Site("is used here"))
	}
}

var telegramAPI = Rule{
	ID: "telegram-api", Severity: finding.Error,
	Summary: "the Telegram bridge has an api_id and api_hash of its own",
	Why:     "\"api_hash is required\", \"telegram.api_id not configured\"; or the bridge starts, and every login fails with API_ID_INVALID, because a quoted api_id silently becomes the example's 12345.",
	Fix:     "Get both from https://my.telegram.org; write the api_id without quotes.",
	Source:  "mautrix-telegram v0.2608.0 pkg/connector/config.go, v0.15.3 mautrix_telegram/config.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			if b.Program != component.Telegram {
				continue
			}
			section := b.Keys().Network
			id, hash := b.At(section+".api_id"), b.At(section+".api_hash")
			_, isInt := id.Int()
			const fix = "api_id: the number from https://my.telegram.org, without quotes"
			switch {
			case b.FromEnv(section + ".api_id"):
			case noAPIID(id) && noAPIHash(hash) && !b.FromEnv(section+".api_hash"):
				r.Fail(fmt.Sprintf("%s has no api_id and api_hash of its own; it does not start", b.Name), "api_id and api_hash: those from https://my.telegram.org, the api_id without quotes", id.Site(""), hash.Site(""))
				continue
			case noAPIID(id):
				r.Fail(fmt.Sprintf("%s has no api_id of its own; Telegram lets nobody log in", b.Name), fix, id.Site(""))
			case !isInt && (b.Dialect != component.Python || strings.Trim(id.Str(), "0123456789") != ""):
				r.Fail(fmt.Sprintf("api_id of %s is not a plain number; the bridge goes by its example's, and Telegram lets nobody log in", b.Name), fix, id.Site(""))
			}
			if !b.FromEnv(section+".api_hash") && noAPIHash(hash) {
				r.Fail(fmt.Sprintf("%s has no api_hash of its own; it does not start", b.Name), "api_hash: the one from https://my.telegram.org", hash.Site(""))
			}
		}
	},
}

func noAPIID(id source.Value) bool { return !id.Set() || id.Str() == exampleAPIID || id.Str() == "0" }

func noAPIHash(hash source.Value) bool { return hash.Str() == "" || hash.Str() == exampleAPIHash }

// What the example configurations of both Telegram bridges have.
const (
	exampleAPIID   = "12345"
	exampleAPIHash = "tjyd5yge35lbodk1xwzw2jstp90k55qz"
)
