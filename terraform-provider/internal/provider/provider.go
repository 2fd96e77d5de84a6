// SPDX-License-Identifier: Apache-2.0

// Package provider is the provider itself: its settings and the resources it offers.
package provider

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/client"
	"weir.dev/terraform-provider-weir/internal/loadbalancer"
	"weir.dev/terraform-provider-weir/internal/vip"
)

var _ provider.Provider = (*weirProvider)(nil)

type weirProvider struct{ version string }

// New returns a factory of the provider, as the plugin server wants it.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &weirProvider{version: version} }
}

type settings struct {
	Endpoint     types.String `tfsdk:"endpoint"`
	TokenURL     types.String `tfsdk:"token_url"`
	ClientID     types.String `tfsdk:"client_id"`
	ClientSecret types.String `tfsdk:"client_secret"`
	ProjectID    types.String `tfsdk:"project_id"`
}

func (p *weirProvider) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "weir"
	response.Version = p.version
}

func (p *weirProvider) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		MarkdownDescription: "Manages Weir's anycast layer-4 load balancers. One provider block works in one project, as one " +
			"service account of that project with the role `editor` or above. Each setting can come from the environment.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Base address of the API, without `/v1`. Environment: `WEIR_API`.",
			},
			"token_url": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The identity provider's token endpoint. Environment: `WEIR_TOKEN_URL`.",
			},
			"client_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The service account's client id. Environment: `WEIR_CLIENT_ID`.",
			},
			"client_secret": schema.StringAttribute{
				Optional:  true,
				Sensitive: true,
				MarkdownDescription: "The service account's secret. Environment: `WEIR_CLIENT_SECRET`, which keeps it out of " +
					"files under version control.",
			},
			"project_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The project that everything is created in, such as `prj_…`. Environment: `WEIR_PROJECT`.",
			},
		},
	}
}

func (p *weirProvider) Configure(
	ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse,
) {
	var given settings
	response.Diagnostics.Append(request.Config.Get(ctx, &given)...)
	if response.Diagnostics.HasError() {
		return
	}

	pick := func(value types.String, attribute, variable string) string {
		if value.IsUnknown() {
			response.Diagnostics.AddAttributeError(path.Root(attribute), "Provider setting not known yet",
				fmt.Sprintf("The value of %s depends on something that is not created yet. Apply that first, or set the "+
					"environment variable %s.", attribute, variable))

			return ""
		}
		picked := value.ValueString()
		if picked == "" {
			picked = os.Getenv(variable)
		}
		if picked == "" {
			response.Diagnostics.AddAttributeError(path.Root(attribute), "Provider setting missing",
				fmt.Sprintf("Set %s in the provider block or the environment variable %s.", attribute, variable))
		}

		return picked
	}
	config := client.Config{
		Endpoint:     pick(given.Endpoint, "endpoint", "WEIR_API"),
		TokenURL:     pick(given.TokenURL, "token_url", "WEIR_TOKEN_URL"),
		ClientID:     pick(given.ClientID, "client_id", "WEIR_CLIENT_ID"),
		ClientSecret: pick(given.ClientSecret, "client_secret", "WEIR_CLIENT_SECRET"),
		ProjectID:    pick(given.ProjectID, "project_id", "WEIR_PROJECT"),
		UserAgent:    fmt.Sprintf("terraform-provider-weir/%s terraform/%s", p.version, request.TerraformVersion),
	}
	if response.Diagnostics.HasError() {
		return
	}

	weir, err := client.New(config)
	if err != nil {
		response.Diagnostics.AddError("Provider settings unusable", err.Error())

		return
	}
	response.ResourceData = weir
	response.DataSourceData = weir
}

func (p *weirProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{loadbalancer.NewResource, vip.NewResource}
}

func (p *weirProvider) DataSources(context.Context) []func() datasource.DataSource {
	return nil
}
