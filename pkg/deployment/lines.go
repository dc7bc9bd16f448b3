package deployment

import (
	"strconv"
	"strings"
)

// Lines is how a setting is written where the deployment is: the fix of a rule that is true of every target takes its words
// from here, and the reader of a target fills it in. What belongs to one service in the style that it is written in stands
// with that, as LabelLine does.
type Lines struct {
	Image    func(ref string) string
	Command  func(words ...string) string
	Variable func(name, value string) string
	// Probe is the check of a service by those words, Probed one that ends with that word, whatever stands before.
	Probe  func(words ...string) string
	Probed func(last string) string
	// NoProbe has a service without a check, ProbeForm is what the words of one have to begin with.
	NoProbe, ProbeForm string
	// Started has a service wait until another one is started, and not until it is well.
	Started string
	// Once has a service end for good.
	Once string

	Networks func(names ...string) string
	// Outside has a network that others made, WayOut a service that is shut in reach the internet.
	Outside, WayOut string
	// OtherName has a service be called by another name than a second one, OtherContainer its container; ContainerName has
	// the container of the database have a name that is known.
	OtherName, OtherContainer, ContainerName string
	// Port publishes a port of the host for one of a container.
	Port func(host, container, protocol string) string

	// Mount has a place in a container show what lies outside of it; the place may be empty. Label is what a proxy reads of
	// a service.
	Mount   func(what, where string) string
	Label   string
	Scratch func(dir string) string // an empty directory that can be written
	// AsUser has a service run as the user that its program has, or keep what it needs to become that.
	AsUser func(capabilities ...string) string
	// Capability gives a service one that it has not.
	Capability func(name string) string
	// Run runs a program in a container, "" for one that is not known.
	Run func(container, program string) string
	// File is what the services stand in, Engine what runs their containers, Gone when what is in a container alone is lost; Unwell is
	// what comes of one whose check fails.
	File, Engine, Gone, Unwell string
	// Stranger is who may have a name that is called, and is not seen here.
	Stranger string
	// SwitchOn has the services of a profile run.
	SwitchOn func(profile string) string
}

// Lines are those of the deployment that the service is part of.
func (s *Service) Lines() Lines { return s.d.Lines }

// Quoted is a list of words in one line, as YAML reads it.
func Quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = strconv.Quote(w)
	}
	return "[" + strings.Join(all, ", ") + "]"
}
