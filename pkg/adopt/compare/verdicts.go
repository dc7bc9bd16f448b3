package compare

// verdicts are what is known of differences. The first that fits counts; what fits none needs a decision.
var verdicts = []verdict{
	{"**", "labels", "stackgen.config-hash", onOurs, Same, "Compose sees by it that a file of the service changed", ""},

	// What is left has the effect that it has.
	{"**", "config", "**", onOld, Decision, "{about} goes back to its default", "{section}: {extra: …} with {key} as it was"},
	{"**", "config", "**", onOurs, Decision, "{about} had its default", "{section}: {extra: …} without {key}"},
	{"**", "config", "**", onBoth, Decision, "{about} does otherwise from then on", "{section}: {extra: …} with {key} as it was"},
}
