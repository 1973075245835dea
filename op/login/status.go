package login

// StatusOf is the HTTP status of a refusal; 500 for an error without a code.
func StatusOf(err error) int { return statusOf(err) }

// HostOf is the host that a validated URI names, as people are shown it.
func HostOf(uri string) string { return hostOf(uri) }
