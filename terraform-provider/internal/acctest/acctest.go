// SPDX-License-Identifier: Apache-2.0

// Package acctest is what the resources' tests share: where they run, and how to make a provider for them.
package acctest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"weir.dev/terraform-provider-weir/internal/client"
	"weir.dev/terraform-provider-weir/internal/fakeapi"
	"weir.dev/terraform-provider-weir/internal/provider"
)

// settings are the environment variables that name a running service; `./weir env` prints them.
var settings = []string{"WEIR_API", "WEIR_TOKEN_URL", "WEIR_CLIENT_ID", "WEIR_CLIENT_SECRET", "WEIR_PROJECT"}

// Factories makes the provider within the test's process; a real Terraform talks to it.
func Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"weir": providerserver.NewProtocol6WithError(provider.New("test")()),
	}
}

// Service says that the test needs a running service and a real Terraform. Without TF_ACC the test is skipped;
// with it, anything missing is a failure.
func Service(t *testing.T) *client.Client {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run when TF_ACC is set; see scripts/acceptance.sh")
	}
	for _, name := range append([]string{"TF_ACC_TERRAFORM_PATH"}, settings...) {
		if os.Getenv(name) == "" {
			t.Fatalf("%s is not set; see scripts/acceptance.sh", name)
		}
	}

	return newClient(t, client.Config{
		Endpoint:     os.Getenv("WEIR_API"),
		TokenURL:     os.Getenv("WEIR_TOKEN_URL"),
		ClientID:     os.Getenv("WEIR_CLIENT_ID"),
		ClientSecret: os.Getenv("WEIR_CLIENT_SECRET"),
		ProjectID:    os.Getenv("WEIR_PROJECT"),
	})
}

// Fake starts a fake API and points the provider at it. The test needs a real Terraform only.
func Fake(t *testing.T) (*fakeapi.Server, *client.Client) {
	t.Helper()
	if os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		t.Skip("needs a real Terraform in TF_ACC_TERRAFORM_PATH; scripts/check.sh provides it")
	}

	fake := fakeapi.Start(t)
	config := client.Config{
		Endpoint:     fake.URL,
		TokenURL:     fake.TokenURL,
		ClientID:     fakeapi.ClientID,
		ClientSecret: fakeapi.ClientSecret,
		ProjectID:    fakeapi.ProjectID,
	}
	values := []string{config.Endpoint, config.TokenURL, config.ClientID, config.ClientSecret, config.ProjectID}
	for i, name := range settings {
		t.Setenv(name, values[i])
	}

	return fake, newClient(t, config)
}

// Name returns a name that no other run uses.
func Name(t *testing.T) string {
	t.Helper()
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		t.Fatalf("reading random bytes: %v", err)
	}

	return fmt.Sprintf("tfacc-%s", hex.EncodeToString(random))
}

func newClient(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	config.UserAgent = "terraform-provider-weir/test"
	weir, err := client.New(config)
	if err != nil {
		t.Fatalf("making a client: %v", err)
	}

	return weir
}
