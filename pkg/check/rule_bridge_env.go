package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// unwritten are settings that bridges on bridgev2 have, and that no example configuration shows: mautrix-go v0.32.0
// bridgev2/bridgeconfig, go.mau.fi/util dbutil.Config. Those that end in a dot are whole sections.
var unwritten = []string{
	"bridge.outgoing_message_re_id", "bridge.backfill.", "database.ro_pool.", "database.deadlock_detection", "direct_media.federation_auth",
	"homeserver.public_address", "homeserver.websocket_proxy", "management_room_texts.", "logging.",
}

// checkBridgeEnvironment holds the variables that env_config_prefix makes settings against those that the bridge has.
func checkBridgeEnvironment(r *Reporter, b *deployment.Bridge) {
	at := b.Config.At("env_config_prefix")
	report := reportKey(r, r.FailMend, b, b.Keys().Read)
	told := make(map[string]bool)
	for _, v := range b.Settings() {
		if told[v.Name] {
			continue
		}
		told[v.Name] = true
		dotted := strings.Join(v.Path, ".")
		if slices.ContainsFunc(unwritten, func(k string) bool { return dotted == k || strings.HasSuffix(k, ".") && strings.HasPrefix(dotted, k) }) {
			continue
		}
		known, path, whose := knownKeys(b.Keys().Keys), v.Path, b.Keys().Keys
		if path[0] == "network" && len(path) > 1 {
			known, path, whose = networkKeys(b.Component()), path[1:], "network"
		}
		fault, near := settingFault(known, path, v)
		if fault == "" {
			continue
		}
		message := fmt.Sprintf("%s makes the variable %s the setting %s, which %s; the bridge does not start (Failed to parse environment variables)", b.Name, v.Name, dotted, fault)
		fix := mend{text: "another name, which does not begin with " + at.Str() + ", or no such variable"}
		if near != "" {
			fix.text = at.Str() + strings.ToUpper(strings.Join(append(slices.Clone(v.Path[:len(v.Path)-1]), near), "__"))
		} else if fault != unknownSetting {
			fix.text = "the value in " + b.Config.Path
		}
		sites := []source.Site{v.At.Site(""), at.Site("makes it a setting")}
		if whose == "network" && fault == unknownSetting && near == "" {
			r.Warn(message+", unless it has a setting that its example does not show", fix.text, sites...)
			continue
		}
		report(message, fix, sites...)
	}
}

const unknownSetting = "it does not have"

// settingFault says why a bridge refuses a variable as a setting, "" where it does not; near is the last key as it is meant.
func settingFault(known source.Value, path []string, v deployment.VariableSetting) (fault, near string) {
	for i, key := range path {
		switch {
		case known.At("*").Set():
			if path[0] == "bridge" && path[1] == "permissions" {
				return "has no form that a variable can give", ""
			}
			return "", "" // of a map of texts any key is one
		case known.Kind() != source.Mapping || !known.At(key).Exists():
			if i == len(path)-1 {
				near = finding.Nearest(key, keyNames(known))
			}
			return unknownSetting, near
		}
		known = known.At(key)
	}
	if known.Kind() != source.Scalar {
		if known.At("*").Set() || known.Kind() == source.Mapping || known.Kind() == source.Sequence {
			return "has no form that a variable can give", ""
		}
		return "", ""
	}
	if v.Hidden != "" || v.File {
		return "", ""
	}
	var err error
	switch known.Str() {
	case "bool":
		_, err = strconv.ParseBool(v.Text)
	case "int":
		_, err = strconv.ParseInt(v.Text, 10, 64)
	}
	if err != nil {
		return map[string]string{"bool": "wants true or false", "int": "wants a whole number"}[known.Str()], ""
	}
	return "", ""
}
