// Package image is the name by which pkg/check still calls pkg/component.
package image

import "philipp.info/stackgen/pkg/component"

// The names of pkg/component.
type (
	Program = component.Program
	Ref     = component.Ref
	Version = component.Version
	Dialect = component.Dialect
)

// The names of pkg/component.
const (
	Unknown   = component.Unknown
	Synapse   = component.Synapse
	MAS       = component.MAS
	Postgres  = component.Postgres
	Traefik   = component.Traefik
	Signal    = component.Signal
	WhatsApp  = component.WhatsApp
	Telegram  = component.Telegram
	Discord   = component.Discord
	Meta      = component.Meta
	Instagram = component.Instagram

	BridgeV2 = component.BridgeV2
	Legacy   = component.Legacy
	Python   = component.Python
)

// Parse is component.Parse.
func Parse(s string) Ref { return component.Parse(s) }

// Tested is the Tested of each program.
var Tested = func() map[Program]Ref {
	m := make(map[Program]Ref)
	for _, c := range component.All {
		if c.Tested.Repository != "" {
			m[c.Program] = c.Tested
		}
	}
	return m
}()

// Oldest is the Oldest of each program.
var Oldest = func() map[Program]struct {
	Version Version
	Why     string
} {
	m := make(map[Program]struct {
		Version Version
		Why     string
	})
	for _, c := range component.All {
		if c.OldestWhy != "" {
			o := m[c.Program]
			o.Version, o.Why = c.Oldest, c.OldestWhy
			m[c.Program] = o
		}
	}
	return m
}()

// BridgeDefaults are those of a component.Bridge.
type BridgeDefaults struct {
	Program     Program
	Title       string
	ID, Bot     string
	Prefix      string
	Port        int
	Binary      string
	DisplayName string
}

// Bridges lists every bridge.
var Bridges = func() (list []BridgeDefaults) {
	for c := range component.Bridges() {
		b := c.Bridge
		list = append(list, BridgeDefaults{c.Program, c.Title, b.ID, b.Bot, b.Prefix, b.Port, b.Binary, b.DisplayName})
	}
	return list
}()

// Moves has the Move of each bridge.
var Moves = func() map[Program]component.Move {
	m := make(map[Program]component.Move)
	for c := range component.Bridges() {
		if c.Bridge.Move != nil {
			m[c.Program] = *c.Bridge.Move
		}
	}
	return m
}()
