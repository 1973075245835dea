//go:build e2e

package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/standards.md says what is supported, and may say nothing else: its tables are made of the modules that just
// passed and of tests that exist. `go test -tags e2e ./e2e -run TestStandards -args -update` writes them.

var updateDocs = flag.Bool("update", false, "write the tables of the documents")

const standardsFile = "../docs/standards.md"

// specification is one that is supported, with the tests that hold the code to it: file:function, below the root.
type specification struct {
	name, what string
	tests      []string
}

var specifications = []specification{
	{"OpenID Connect Core 1.0", "authorization code flow, ID token, userinfo, `claims`, `prompt`, `max_age`, pairwise `sub` (§8.1)",
		[]string{"e2e/standards_test.go:TestStandards", "e2e/codeflow_test.go:TestTheCodeFlowByHand", "op/flow_test.go:TestPairwiseSubjectsDifferByClientAndStayOverSignIns"}},
	{"OpenID Connect Discovery 1.0", "metadata and keys", []string{"e2e/discovery_test.go:TestDiscoveryTellsTheTruth", "op/flow_test.go:TestDiscoveryListsWhatWorksAndNothingElse"}},
	{"OAuth 2.0 Form Post Response Mode", "success and error, without script by a button", []string{"e2e/standards_test.go:TestStandards", "op/holes_test.go:TestHoleErrorsByFormPost"}},
	{"OpenID Connect RP-Initiated Logout 1.0", "`/end_session`", []string{"e2e/standards_test.go:TestStandards", "op/flow_test.go:TestSignOutEndsTheSessionAndAsksWhenNobodyProvesToBeTheClient"}},
	{"OpenID Connect Back-Channel Logout 1.0", "logout tokens, kept until heard", []string{"e2e/standards_test.go:TestStandards", "op/logout_test.go:TestEveryClientOfASessionIsToldOnceThatItEnded", "op/logout_test.go:TestAClientThatDoesNotListenIsTriedAgainAndThenLeftAlone"}},
	{"OpenID Connect Front-Channel Logout 1.0", "frames with `iss` and `sid`", []string{"e2e/standards_test.go:TestStandards", "vneid/stories/choice_test.go:TestASignOutNamesTheFramesOfWhoHasTokens", "templates/templates_test.go:TestAPageMayLoadItsFramesAndNoOther"}},
	{"OpenID Connect Core Error Code unmet_authentication_requirements 1.0", "for an essential `acr`", []string{"e2e/standards_test.go:TestStandards", "vneid/stories/choice_test.go:TestAClientThatInsistsOnALevelGetsItOrAnError"}},
	{"RFC 6749 OAuth 2.0", "authorization code, refresh and client credentials grants", []string{"e2e/token_test.go:TestTokenEndpoint", "e2e/authorize_test.go:TestAuthorizeAnswersErrorsToTheClient", "op/clientauth_test.go:TestAClientGetsATokenForItselfByEveryMethod"}},
	{"RFC 6750 Bearer Tokens", "header and form body", []string{"e2e/standards_test.go:TestStandards", "op/holes_test.go:TestHoleUserinfoRefusedWithoutAChallenge"}},
	{"RFC 7009 Token Revocation", "", []string{"e2e/token_test.go:TestRefreshRevokeIntrospect", "vneid/stories/refresh_test.go:TestRevoke"}},
	{"RFC 7662 Token Introspection", "a client about its own tokens", []string{"op/flow_test.go:TestIntrospectionAndRevocationConcernTheClientsOwnTokens", "op/holes_test.go:TestHoleIntrospectionByPublicClients"}},
	{"RFC 7636 PKCE", "S256", []string{"vneid/stories/code_test.go:TestPKCE", "op/holes_test.go:TestHolePKCE"}},
	{"RFC 7517, 7518, 7519, 8037", "RS256, ES256, PS256, EdDSA (Ed25519)", []string{"op/flow_test.go:TestEveryAlgorithmSignsAnIDTokenThatItsKeyVerifies", "op/keyring/keyring_test.go:TestARotationKeepsEveryKeyListedFromPublishToRetire"}},
	{"RFC 7523 `private_key_jwt`", "bounds of `exp`, `nbf`, `iat`, `jti` once, `jwks` and `jwks_uri`", []string{"op/clientauth_test.go:TestABadAssertionAuthenticatesNobody", "op/once_test.go:TestWhatWorksOnceWorksOnceOfAHundred", "op/clientauth_test.go:TestKeysOfAClientAreFetchedAgainForAnUnknownKid"}},
	{"RFC 8628 Device Authorization", "confirmed on the phone app", []string{"op/device_test.go:TestADeviceGetsTokensWhenThePhoneConfirms", "op/device_test.go:TestADeviceThatAsksTooOftenIsSlowedDown"}},
	{"RFC 9068 JWT access tokens", "per client on request", []string{"op/clientauth_test.go:TestAnAccessTokenIsAJWTOnRequest"}},
	{"RFC 8252 §7.3 loopback redirect", "any port, the seeded `my-portal` only", []string{"op/review_test.go:TestTheLoopbackRuleTakesRealPortsOnly"}},
	{"RFC 9207 `iss` in the answer", "every answer", []string{"e2e/standards_test.go:TestStandards", "e2e/authorize_test.go:TestAuthorizeAnswersErrorsToTheClient"}},
	{"RFC 9700 Security BCP", "exact redirect URIs, codes and refresh tokens once, reuse revokes, 303", []string{"vneid/stories/code_test.go:TestAReplayedCodeRevokesEverythingIssuedForIt", "vneid/stories/refresh_test.go:TestUsingAnOldRefreshTokenRevokesTheFamily", "e2e/ownership_test.go:TestALoginBelongsToItsBrowser"}},
	{"RFC 8176 `amr` values", "", []string{"e2e/codeflow_test.go:TestTheCodeFlowByHand", "vneid/stories/qr_test.go:TestACitizenSignsInByScanning"}},
	{"RFC 9457 Problem Details", "the automation API", []string{"sandbox/api/api_test.go:TestWrongClientsAreRefusedFieldByField"}},
}

// checkDocument compares the tables of docs/standards.md with what passed, or writes them.
func checkDocument(t *testing.T, passed func(plan, module) bool) {
	t.Helper()
	old, err := os.ReadFile(standardsFile)
	if err != nil {
		t.Fatal(err)
	}
	text := fill(t, string(old), "specifications", specificationRows(t))
	text = fill(t, text, "plans", planRows(t, passed))
	switch {
	case text == string(old):
	case *updateDocs && !t.Failed():
		if err := os.WriteFile(standardsFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/standards.md does not say what passed; when everything does, write it by: go test -tags e2e ./e2e -run TestStandards -args -update")
	}
}

func fill(t *testing.T, text, name, rows string) string {
	t.Helper()
	begin, end := "<!-- "+name+": written by TestStandards -->\n", "<!-- end of "+name+" -->"
	i := strings.Index(text, begin)
	j := strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatalf("docs/standards.md has no place for %s", name)
	}
	return text[:i+len(begin)] + "\n" + rows + "\n" + text[j:]
}

func specificationRows(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| specification | what of it | tests |\n| --- | --- | --- |\n")
	for _, s := range specifications {
		var links []string
		for _, test := range s.tests {
			links = append(links, testLink(t, test))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.name, s.what, strings.Join(links, ", "))
	}
	return b.String()
}

var skips = regexp.MustCompile(`\.Skip(?:f|Now)?\(`)

var functions = map[string][]string{} // of a test file

// testLink leads to a test that exists and is never skipped.
func testLink(t *testing.T, test string) string {
	t.Helper()
	file, name, _ := strings.Cut(test, ":")
	if functions[file] == nil {
		source, err := os.ReadFile("../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\) \{((?s:.*?))^\}`).FindAllStringSubmatch(string(source), -1) {
			if !skips.MatchString(m[2]) {
				functions[file] = append(functions[file], m[1])
			}
		}
	}
	if !slices.Contains(functions[file], name) {
		t.Errorf("%s has no test %s that always runs", file, name)
	}
	return "[" + name + "](../" + file + ")"
}

func planRows(t *testing.T, passed func(plan, module) bool) string {
	t.Helper()
	var b strings.Builder
	for _, p := range plans() {
		fmt.Fprintf(&b, "### %s\n\n", p.name)
		if p.mode != "" {
			fmt.Fprintf(&b, "Each with `response_mode=%s`.\n\n", p.mode)
		}
		b.WriteString("| module | what it asks |\n| --- | --- |\n")
		for _, m := range p.modules {
			if passed(p, m) {
				fmt.Fprintf(&b, "| [`%s`](../%s) | %s |\n", m.name, sourceOf(t, m), m.demand)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sourceOf is the file that a module stands in.
func sourceOf(t *testing.T, m module) string {
	t.Helper()
	for _, file := range []string{"standards_basic_test.go", "standards_logout_test.go", "standards_beyond_test.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), `{"`+m.name+`", `) {
			return "e2e/" + file
		}
	}
	t.Fatalf("module %s stands nowhere", m.name)
	return ""
}

func TestTheConfigurationForTheFoundationsSuiteIsGood(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(standardsFile)
	if err != nil {
		t.Fatal(err)
	}
	_, yaml, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, found := strings.Cut(yaml, "```")
	file := filepath.Join(t.TempDir(), "suite.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil || !found {
		t.Fatal(err, found)
	}
	if code, out := runToEnd(t, nil, "config", "check", file); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
}
