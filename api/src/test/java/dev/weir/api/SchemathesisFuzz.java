// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Generated requests against the running service; run by name, with {@code -Dweir.fuzz.requests}. */
class SchemathesisFuzz {
    private static final Path FOLDER = Path.of("schemathesis");

    @Test
    void everyAnswerIsOneThatTheContractDescribes() throws IOException, InterruptedException {
        RunningApi api = RunningApi.get();
        TestProject project = api.project("fuzzed", "10.0.0.0/8", "2001:db8::/32");
        Answer account = RunningApi.created(api.post(
                project.token(), project.path("/service-accounts"), "{\"name\": \"fuzzer\", \"role\": \"admin\"}"));
        // Traffic can be shifted away from a PoP only while there is another.
        for (int i = 0; i < 2; i++) {
            RunningApi.created(
                    api.post(api.operatorToken(), "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("pop"))));
        }
        String grant = api.get(project.token(), project.path("/role-grants"))
                .body()
                .path("items")
                .valueStream()
                .filter(item -> item.path("service_account_id").asString("").equals(account.text("id")))
                .map(item -> item.path("id").asString())
                .findFirst()
                .orElseThrow();
        stageEveryRevision(api);
        Path log = Path.of("target", "schemathesis.log");

        ProcessBuilder fuzzer = new ProcessBuilder(FOLDER.resolve("run.sh").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        fuzzer.environment()
                .putAll(Map.of(
                        "WEIR_API", api.url(),
                        "WEIR_TOKEN_URL", api.keycloak().issuer() + "/protocol/openid-connect/token",
                        "WEIR_CLIENT_ID", account.text("client_id"),
                        "WEIR_CLIENT_SECRET", account.text("client_secret"),
                        "WEIR_OPERATOR_ID", "weir-operator",
                        "WEIR_OPERATOR_SECRET", "weir-operator",
                        "WEIR_PROJECT", project.projectId(),
                        "WEIR_FUZZ_REQUESTS", System.getProperty("weir.fuzz.requests", "2000"),
                        "WEIR_FUZZ_PROTECTED",
                                String.join(",", project.tenantId(), project.projectId(), account.text("id"), grant)));
        Process process = fuzzer.start();
        boolean ended = process.waitFor(60, TimeUnit.MINUTES);
        String said = Files.readString(log);
        System.out.println(said);

        assertThat(ended).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
    }

    /** No provisioner runs here, so the database begins the rollouts that are to be promoted, stopped and reverted. */
    private static void stageEveryRevision(RunningApi api) {
        api.execute("""
                create function stage_revision() returns trigger language plpgsql security definer as $$
                begin
                    insert into staged_rollouts (project_id, load_balancer_id, stable_generation, stable_tree,
                        stable_committed_at, stable_maglev_table_sizes, stable_serving_since_us, candidate_revision_id,
                        candidate_generation, state, pop_ids, all_pop_ids, unhealthy_before)
                    values (new.project_id, new.id, 1, '{}', now(), '{}', '{}', new.revision_id, new.generation,
                        'running', '{}', '{}', 0)
                    on conflict (project_id, load_balancer_id) do update
                    set candidate_revision_id = excluded.candidate_revision_id, state = 'running', ended_at = null;
                    return null;
                end $$;
                create trigger stage_revision after insert or update of revision_id on load_balancers
                    for each row execute function stage_revision()""");
    }
}
