// Package image knows the container images of a stack: which program an image reference names, which
// version its tag stands for, what that version can do, and which tag stackgen was tested with.
package image

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// Program is a program that stackgen configures, by the name used in specs and messages.
type Program string

// The programs. Telegram covers both the Python and the Go bridge: Dialect tells them apart.
const (
	Unknown   Program = ""
	Synapse   Program = "synapse"
	MAS       Program = "mas"
	Postgres  Program = "postgres"
	Traefik   Program = "traefik"
	Signal    Program = "signal"
	WhatsApp  Program = "whatsapp"
	Telegram  Program = "telegram"
	Discord   Program = "discord"
	Meta      Program = "meta"
	Instagram Program = "instagram"
)

// Tested is the image of each program that the contracts were read from.
var Tested = map[Program]Ref{
	Synapse:   {"ghcr.io/element-hq/synapse", "v1.163.2", ""},
	MAS:       {"ghcr.io/element-hq/matrix-authentication-service", "1.26.0", ""},
	Postgres:  {"docker.io/library/postgres", "17", ""},
	Traefik:   {"docker.io/library/traefik", "v3.7.13", ""},
	Signal:    {"dock.mau.dev/mautrix/signal", "v0.2610.0", ""},
	WhatsApp:  {"dock.mau.dev/mautrix/whatsapp", "v0.2610.0", ""},
	Telegram:  {"dock.mau.dev/mautrix/telegram", "v0.2610.0", ""},
	Discord:   {"dock.mau.dev/mautrix/discord", "v0.7.7", ""},
	Meta:      {"dock.mau.dev/mautrix/meta", "v0.2609.0", ""},
	Instagram: {"dock.mau.dev/mautrix/meta", "ig-v0.2609.0", ""},
}

// Oldest is the first version of each program whose configuration stackgen writes, and why.
var Oldest = map[Program]struct {
	Version Version
	Why     string
}{
	Synapse:   {Version{1, 136, 0}, "matrix_authentication_service exists since Synapse 1.136"},
	MAS:       {Version{1, 8, 0}, "claims_imports.localpart.on_conflict: set exists since MAS 1.8"},
	Postgres:  {Version{14, 0, 0}, "Synapse requires PostgreSQL 14 or above"},
	Signal:    {Version{0, 2510, 0}, "older releases do not know every key that is rendered"},
	WhatsApp:  {Version{0, 2510, 0}, "older releases do not know every key that is rendered"},
	Discord:   {Version{0, 7, 4}, "encryption.msc4190 exists since mautrix-discord v0.7.4"},
	Telegram:  {Version{0, 15, 3}, "encryption.msc4190 exists since mautrix-telegram v0.15.3"},
	Meta:      {Version{0, 2608, 0}, "older releases choose the network by network.mode and use the id meta"},
	Instagram: {Version{0, 2608, 0}, "Instagram is an image of its own since v26.07, tested since v26.08"},
}

// Ref is an image reference taken apart. Tag and Digest are empty when absent.
type Ref struct {
	Repository, Tag, Digest string
}

// Parse takes an image reference apart; a registry's port is not mistaken for a tag.
func Parse(s string) Ref {
	var r Ref
	s, r.Digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, r.Tag = s[:i], s[i+1:]
	}
	r.Repository = s
	return r
}

// String is the reference as Compose wants it.
func (r Ref) String() string {
	s := r.Repository
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

var programs = []struct {
	suffix  string
	program Program
}{
	{"matrix-authentication-service", MAS},
	{"synapse", Synapse},
	{"postgres", Postgres},
	{"postgresql", Postgres},
	{"traefik", Traefik},
	{"mautrix/signal", Signal},
	{"mautrix/whatsapp", WhatsApp},
	{"mautrix/telegram", Telegram},
	{"mautrix/discord", Discord},
	{"mautrix/meta", Meta},
	{"mautrix-signal", Signal},
	{"mautrix-whatsapp", WhatsApp},
	{"mautrix-telegram", Telegram},
	{"mautrix-discord", Discord},
	{"mautrix-meta", Meta},
}

// Program tells which program the image holds by the end of its repository name; Unknown for any other.
func (r Ref) Program() Program {
	for _, p := range programs {
		if r.Repository == p.suffix || strings.HasSuffix(r.Repository, "/"+p.suffix) {
			if p.program == Meta && strings.HasPrefix(r.Tag, "ig-") {
				return Instagram
			}
			return p.program
		}
	}
	return Unknown
}

// Version is major, minor and patch. The mautrix calendar tag v26.08.1 is the release v0.2608.1.
type Version [3]int

// String gives major.minor.patch.
func (v Version) String() string {
	return strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1]) + "." + strconv.Itoa(v[2])
}

// Less orders versions.
func (v Version) Less(w Version) bool {
	return cmp.Or(cmp.Compare(v[0], w[0]), cmp.Compare(v[1], w[1]), cmp.Compare(v[2], w[2])) < 0
}

var version = regexp.MustCompile(`^(?:ig-)?v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:-|$)`)

// Version reads the version out of the tag; ok is false for latest, a digest or a branch name.
func (r Ref) Version() (v Version, ok bool) {
	m := version.FindStringSubmatch(r.Tag)
	if m == nil {
		return v, false
	}
	for i := range v {
		v[i], _ = strconv.Atoi(m[i+1])
	}
	switch r.Program() {
	case Synapse, MAS: // v1 moves on with every release
		return v, m[2] != ""
	case Unknown, Postgres, Traefik:
		return v, true
	}
	if v[0] >= 20 && m[2] != "" {
		v = Version{0, v[0]*100 + v[1], v[2]}
	}
	return v, true
}

// Dialect is the shape of a bridge's configuration file.
type Dialect string

// The dialects of mautrix bridges.
const (
	BridgeV2 Dialect = "bridgev2" // mautrix-go bridgev2
	Legacy   Dialect = "legacy"   // mautrix-go before bridgev2: Discord v0.7
	Python   Dialect = "python"   // mautrix-python: Telegram up to v0.15.3
)

// bridgeV2Since is the first release of each bridge that is built on bridgev2; the ones before it, down to the
// second version, are older Go bridges, and those before that were written in Python (each one's CHANGELOG.md).
var bridgeV2Since = map[Program][2]Version{
	Signal:   {{0, 7, 0}, {0, 5, 0}},
	WhatsApp: {{0, 11, 0}, {}},
	Meta:     {{0, 4, 0}, {}},
}

// Dialect tells the dialect of a bridge image by its tag. ok is false where the tag names no version, the
// program is no bridge, or no release with that version can be placed.
func (r Ref) Dialect() (d Dialect, ok bool) {
	v, known := r.Version()
	switch p := r.Program(); p {
	case Signal, WhatsApp, Meta, Instagram:
		if since, old := bridgeV2Since[p]; old && known && v.Less(since[0]) {
			return Legacy, !v.Less(since[1])
		}
		return BridgeV2, true
	case Discord:
		return Legacy, known && v.Less(Version{0, 8, 0})
	case Telegram:
		switch {
		case known && v.Less(Version{0, 16, 0}):
			return Python, true
		case known && !v.Less(Version{0, 2604, 0}), r.Tag == "latest":
			return BridgeV2, true
		}
	}
	return "", false
}
