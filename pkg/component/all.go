package component

// All has every program, the bridges in the order of all output.
var All = []*Component{
	&synapse,
	&mas,
	&postgres,
	&traefik,
	&keycloak,
	&borgmatic,
	&element,
	&livekit,
	&lkJwt,
	&coturn,
	&valkey,
	&signal,
	&whatsapp,
	&telegram,
	&discord,
	&meta,
	&instagram,
	&slack,
	&gmessages,
	&twitter,
	&linkedin,
	&gvoice,
	&bluesky,
	&zulip,
}
