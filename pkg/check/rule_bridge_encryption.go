package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// encryptionFeatures are what Synapse must have on to send a bridge what it needs to decrypt.
var encryptionFeatures = []string{"msc2409_to_device_messages_enabled", "msc3202_transaction_extensions"}

var encryptionAppserviceMode = Rule{
	ID: "encryption-appservice-mode", Severity: finding.Error,
	Summary: "encryption through the appservice (encryption.appservice) has all that it needs of Synapse",
	Why:     "The bridge never gets the keys of a room: \"This message could not be decrypted\" in both directions. mautrix advises against the mode.",
	Fix:     "Write appservice: false in the bridge's encryption section; the bridge then syncs like a client.",
	Source:  "Synapse 1.157.1 config/experimental.py, config/appservice.py; mautrix docs, End-to-bridge encryption",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.BridgeRegistrations(func(s *deployment.Synapse, reg *deployment.Registration, b *deployment.Bridge) {
			mode := b.Encryption().At("appservice")
			if !b.Encrypts() || !mode.True() {
				return
			}
			var missing []source.Site
			if flag := reg.At("org.matrix.msc3202"); !flag.True() {
				missing = append(missing, flag.Site("org.matrix.msc3202: true is missing"))
			}
			for _, name := range encryptionFeatures {
				if v := s.Config.At("experimental_features", name); !v.True() {
					missing = append(missing, v.Site(name+": true is missing"))
				}
			}
			if len(missing) > 0 {
				r.Fail(fmt.Sprintf("%s leaves its encryption to the appservice, which Synapse is not set up for; the bridge gets no keys and decrypts nothing", b.Name),
					"appservice: false", append([]source.Site{mode.Site("")}, missing...)...)
			}
		})
	},
}

var bridgeDeviceMasquerading = Rule{
	ID: "bridge-device-masquerading", Severity: finding.Error,
	Summary: "a Synapse before 1.141 lets the bots of encrypting bridges act as the device that msc4190 gives them",
	Why:     "The bridge stops at its start and again at each try: \"failed to share device keys: To upload keys, you must pass device_id when authenticating\".",
	Fix:     "Write msc3202_device_masquerading: true below Synapse's experimental_features, or use Synapse 1.141 or later.",
	Source:  "Synapse 1.136.0 and mautrix-go v0.30.0, mautrix-python 0.20.8 (run together)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			ver, known := s.Image.Version()
			v := s.Config.At("experimental_features", "msc3202_device_masquerading")
			if v.True() || !known || !ver.Less(component.BotDevices) {
				continue
			}
			sites := []source.Site{v.Site("")}
			for _, b := range d.Bridges {
				if b.Encrypts() && b.Msc4190().True() {
					sites = append(sites, b.Msc4190().Site("the bot of "+b.Name+" has a device of its own"))
				}
			}
			if len(sites) > 1 {
				r.FailMend(fmt.Sprintf("Synapse %s lets no bot act as a device of its own; encrypting bridges stop at their first start, for they cannot upload keys", ver),
					set(v, "true"), sites...)
			}
		}
	},
}

var bridgeSelfSign = Rule{
	ID: "bridge-self-sign", Severity: finding.Warning,
	Summary: "an encrypting bridge with msc4190 signs its own device",
	Why:     "Clients show \"encrypted by a device not verified by its owner\" on every bridged message, and those that send to verified devices only leave the bridge out.",
	Fix:     "Write self_sign: true in the bridge's encryption section.",
	Source:  "mautrix-go v0.25.2 CHANGELOG, v0.30.0 bridgev2/matrix/crypto.go; mautrix v0.2510.0",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			ver, known := b.Image.Version()
			if b.Dialect != component.BridgeV2 || !b.Encrypts() || !b.Msc4190().True() || known && ver.Less(component.Version{0, 2510, 0}) {
				continue
			}
			if v := b.Encryption().At("self_sign"); !v.True() {
				r.WarnMend(fmt.Sprintf("the bot of %s does not sign its device; clients warn of each of its messages, and some send it none", b.Name), set(v, "true"), v.Site(""))
			}
		}
	},
}
