package check

// Rules is the catalogue, in the order of the documents. Adding a rule means a value in rule_TOPIC.go, a
// line here, and testdata/rules/ID.txtar with cases that trip it.
var Rules = []Rule{
	masSecretMatches,
	serverNameAgrees,
	masEndpointReachable,
	synapseEndpointInternal,
	synapseNoLocalAuth,
	synapseNoPasswordModule,
	masPublicBaseSlash,
	masPathRouting,
	masHealthcheck,
	masUpstreamMigrated,
	compatRouterWins,
	apexMatrixRouted,
	internalAPIsPrivate,
	registrationCopiesEqual,
	registrationListed,
	registrationTokensMatch,
	registrationIDsUnique,
	registrationMSC4190,
	registrationMSC4190Spelling,
	bridgeMSC4190,
	bridgeHomeserverAddress,
	doublePuppetToken,
	doublePuppetRegistration,
	databaseCredentialsMatch,
	databaseCreated,
	composeValid,
	composeInterpolation,
	composeMountExists,
}
