// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"weir.dev/terraform-provider-weir/internal/acctest"
)

func TestAccExample_RealProcesses(t *testing.T) {
	acctest.Service(t)

	example(t, acctest.Name(t))
}

func TestExample_RealProcesses(t *testing.T) {
	fake, _ := acctest.Fake(t)

	example(t, "shop")

	if balancers, vips := fake.Count(); balancers != 0 || vips != 0 {
		t.Errorf("%d load balancers and %d VIPs are left after destroy", balancers, vips)
	}
}

// example goes the way of a user: the published example, a real Terraform, and the provider as a process of
// its own, started by Terraform.
func example(t *testing.T, name string) {
	t.Helper()
	binaries := os.Getenv("WEIR_PROVIDER_DIR")
	if binaries == "" {
		t.Fatal("WEIR_PROVIDER_DIR is not set; see scripts/check.sh and scripts/acceptance.sh")
	}
	cli := newCLI(t, binaries, name)

	cli.run(0, "validate")
	func() {
		// Also after a failure half-way: what was made must go.
		defer cli.run(0, "destroy", "-auto-approve", "-input=false")

		cli.run(0, "apply", "-auto-approve", "-input=false")
		address := strings.TrimSpace(cli.run(0, "output", "-raw", "address"))
		if _, err := netip.ParseAddr(address); err != nil {
			t.Errorf("the VIP's address is %q", address)
		}
		cli.run(0, "plan", "-detailed-exitcode", "-input=false")

		cli.edit(func(text string) string { return strings.Replace(text, "weight = 50", "weight = 0", 1) })
		cli.run(planHasChanges, "plan", "-detailed-exitcode", "-input=false")
		cli.run(0, "apply", "-auto-approve", "-input=false")
		cli.run(0, "plan", "-detailed-exitcode", "-input=false")

		id := regexp.MustCompile(`lb_[0-9a-f]{32}`).FindString(cli.run(0, "state", "show", "weir_load_balancer.shop"))
		if id == "" {
			t.Fatal("the state has no load balancer's id")
		}
		cli.run(0, "state", "rm", "weir_load_balancer.shop")
		cli.run(0, "import", "-input=false", "weir_load_balancer.shop", id)
		// Time limits are known to the configuration alone. Without them an import leaves nothing to plan.
		cli.edit(func(text string) string {
			return regexp.MustCompile(`(?s)\n  timeouts = \{.*?\n  }\n`).ReplaceAllString(text, "")
		})
		cli.run(0, "plan", "-detailed-exitcode", "-input=false")
	}()
}

func TestProvider_MissingSettingsAreNamed(t *testing.T) {
	_, _ = acctest.Fake(t)
	t.Setenv("WEIR_TOKEN_URL", "")

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:      `resource "weir_vip" "web" {}`,
			ExpectError: regexp.MustCompile(`Set token_url in the provider block or the environment variable\s+WEIR_TOKEN_URL`),
		}},
	})
}

func TestProvider_BlockComesBeforeEnvironment(t *testing.T) {
	fake, _ := acctest.Fake(t)
	t.Setenv("WEIR_API", "http://nobody.invalid")

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: fmt.Sprintf("provider \"weir\" {\n  endpoint = %q\n}\nresource \"weir_vip\" \"web\" {}\n", fake.URL),
		}},
	})
}

const planHasChanges = 2 // exit code of plan -detailed-exitcode

// cli is a folder with the example in it, and a Terraform that takes the provider from a local folder.
type cli struct {
	t      *testing.T
	folder string
	env    []string
}

func newCLI(t *testing.T, binaries, name string) *cli {
	t.Helper()
	c := &cli{t: t, folder: t.TempDir()}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides { \"weir/weir\" = %q }\n}\n", binaries)
	c.write("cli.tfrc", overrides)
	for _, example := range []string{"provider/provider.tf", "resources/weir_load_balancer/resource.tf"} {
		text, err := os.ReadFile(filepath.Join("../../examples", example))
		if err != nil {
			t.Fatal(err)
		}
		// The names must not meet those of another run.
		unique := regexp.MustCompile(`name( +)= "shop"`).ReplaceAllString(string(text), fmt.Sprintf("name$1= %q", name))
		c.write(filepath.Base(example), unique)
	}
	c.env = append(os.Environ(),
		"TF_CLI_CONFIG_FILE="+filepath.Join(c.folder, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")

	return c
}

func (c *cli) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cli) edit(change func(string) string) {
	c.t.Helper()
	before, err := os.ReadFile(filepath.Join(c.folder, "resource.tf"))
	if err != nil {
		c.t.Fatal(err)
	}
	after := change(string(before))
	if after == string(before) {
		c.t.Fatal("the example does not have what the test changes")
	}
	c.write("resource.tf", after)
}

// run fails the test unless Terraform ends with the given code, and returns what it printed.
func (c *cli) run(code int, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Getenv("TF_ACC_TERRAFORM_PATH"), append(args, "-no-color")...)
	if args[0] == "state" {
		command.Args = command.Args[:len(command.Args)-1] // these print no colours and know no such flag
	}
	command.Dir = c.folder
	command.Env = c.env
	var messages strings.Builder
	command.Stderr = &messages
	output, err := command.Output()
	actual := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		actual = exit.ExitCode()
	} else if err != nil {
		c.t.Fatal(err)
	}
	if actual != code {
		c.t.Fatalf("terraform %s ended with %d, expected %d:\n%s%s",
			strings.Join(args, " "), actual, code, output, messages.String())
	}

	return string(output)
}
