// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What can be taken back: deleted load balancers, older trees; and what ends for good. */
class DeletionIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("deletion", "10.55.0.0/24");
    }

    private static String body(String name, String vipIds, int weight) {
        return """
                {"name": "%s"%s,
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [{"name": "one", "address": "10.55.0.1", "weight": %d}]}]}""".formatted(name, vipIds, weight);
    }

    private static Answer make(String name, String... vipIds) {
        String ids = vipIds.length == 0 ? "" : ", \"vip_ids\": [\"" + String.join("\", \"", vipIds) + "\"]";
        return RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), body(name, ids, 100)));
    }

    private static String path(Answer loadBalancer) {
        return acme.path("/load-balancers/" + loadBalancer.text("id"));
    }

    private static String vip(String pool) {
        return RunningApi.created(
                        api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool)))
                .text("id");
    }

    @Test
    void protectedOnesAreNotDeleted() {
        Answer web = make("protected");
        String vip = vip(api.addressPool());

        Answer set = api.patch(acme.token(), path(web), "{\"delete_protection\": true}");
        Answer refused = api.delete(acme.token(), path(web));
        api.patch(acme.token(), acme.path("/vips/" + vip), "{\"delete_protection\": true}");
        Answer vipRefused = api.delete(acme.token(), acme.path("/vips/" + vip));
        api.patch(acme.token(), path(web), "{\"delete_protection\": false}");
        Answer deleted = api.delete(acme.token(), path(web));

        assertThat(set.body().path("delete_protection").asBoolean()).isTrue();
        assertThat(set.body().path("generation").asInt()).isEqualTo(1);
        assertThat(refused.text("code")).isEqualTo("DELETE_PROTECTED");
        assertThat(vipRefused.text("code")).isEqualTo("DELETE_PROTECTED");
        assertThat(deleted.status()).isEqualTo(204);
    }

    @Test
    void undeletedLoadBalancerComesBackDisabledWithTheVipsThatAreStillFree() {
        String pool = api.addressPool();
        String kept = vip(pool);
        String taken = vip(pool);
        Answer web = make("undeleted", kept, taken);
        api.delete(acme.token(), path(web));
        make("other", taken);

        Answer listed = api.get(acme.token(), acme.path("/load-balancers?deleted=true&name=undeleted"));
        Answer back = api.post(acme.token(), path(web) + ":undelete", "");

        assertThat(listed.body().at("/items/0/id").asString()).isEqualTo(web.text("id"));
        assertThat(listed.body().at("/items/0/purge_at").isMissingNode()).isFalse();
        assertThat(back.status()).isEqualTo(200);
        assertThat(back.body().path("enabled").asBoolean()).isFalse();
        assertThat(back.body().path("vips").size()).isEqualTo(1);
        assertThat(back.body().at("/vips/0/id").asString()).isEqualTo(kept);
        assertThat(back.body().path("generation").asInt()).isEqualTo(3);
        assertThat(api.post(acme.token(), path(web) + ":undelete", "").status()).isEqualTo(404);
        assertThat(api.query("select count(*) from members m join pools p on p.id = m.pool_id"
                        + " where p.load_balancer_id = '%s'"
                                .formatted(web.text("id").substring(3))))
                .isEqualTo("1");
    }

    @Test
    void nameThatIsUsedAgainKeepsALoadBalancerDeleted() {
        Answer web = make("renamed-twin");
        api.delete(acme.token(), path(web));
        make("renamed-twin");

        Answer back = api.post(acme.token(), path(web) + ":undelete", "");

        assertThat(back.status()).isEqualTo(409);
        assertThat(back.text("code")).isEqualTo("NAME_TAKEN");
    }

    @Test
    void olderTreeIsRolledBackToAsANewRevision() {
        Answer web = make("rolled");
        Answer changed =
                api.call(acme.token(), "PUT", path(web) + "/tree", body("rolled", "", 50), Map.of("If-Match", "\"1\""));
        Answer revisions = api.get(acme.token(), path(web) + "/revisions");
        String first = revisions.body().at("/items/1/id").asString();
        String second = revisions.body().at("/items/0/id").asString();

        Answer diff = api.get(acme.token(), path(web) + "/revisions/" + second + "/diff");
        Answer whole = api.get(acme.token(), path(web) + "/revisions/" + first + "/diff");
        Answer stale = api.call(
                acme.token(), "POST", path(web) + "/revisions/" + first + ":rollback", "", Map.of("If-Match", "\"1\""));
        Answer back = api.post(acme.token(), path(web) + "/revisions/" + first + ":rollback", "");

        assertThat(changed.status()).isEqualTo(200);
        assertThat(diff.body().path("changes").size()).isEqualTo(1);
        assertThat(diff.body().at("/changes/0/path").asString()).isEqualTo("/pools/web/members/one/weight");
        assertThat(diff.body().at("/changes/0/before").asInt()).isEqualTo(100);
        assertThat(diff.body().at("/changes/0/after").asInt()).isEqualTo(50);
        assertThat(whole.body().has("from_revision_id")).isFalse();
        assertThat(stale.status()).isEqualTo(412);
        assertThat(back.body().path("generation").asInt()).isEqualTo(3);
        assertThat(back.body().at("/pools")).isEqualTo(web.body().at("/pools"));
        assertThat(api.get(acme.token(), path(web) + "/revisions")
                        .body()
                        .at("/items/0/summary")
                        .asString())
                .startsWith("rolled back to generation 1");
    }

    @Test
    void rollbackIsCheckedLikeAnyWrite() {
        String list = RunningApi.created(api.post(
                        acme.token(),
                        acme.path("/prefix-lists"),
                        "{\"name\": \"gone\", \"cidrs\": [\"192.0.2.0/24\"]}"))
                .text("id");
        Answer web = make("checked");
        String listener =
                path(web) + "/listeners/" + web.body().at("/listeners/0/id").asString();
        api.patch(acme.token(), listener, "{\"denied_prefix_list_ids\": [\"%s\"]}".formatted(list));
        api.patch(acme.token(), listener, "{\"denied_prefix_list_ids\": []}");
        api.delete(acme.token(), acme.path("/prefix-lists/" + list));
        String revision = api.get(acme.token(), path(web) + "/revisions")
                .body()
                .at("/items/1/id")
                .asString();

        Answer refused = api.post(acme.token(), path(web) + "/revisions/" + revision + ":rollback", "");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.body().at("/errors/0/code").asString()).isEqualTo("PREFIX_LIST_NOT_FOUND");
    }

    @Test
    void purgeEndsWhatItsTimeHasComeFor() {
        Answer old = make("old");
        Answer recent = make("recent");
        api.delete(acme.token(), path(old));
        api.delete(acme.token(), path(recent));
        Answer busy = make("busy");
        String uuid = busy.text("id").substring(3);
        api.execute("update load_balancers set deleted_at = now() - interval '73 hours' where id = '%s'"
                .formatted(old.text("id").substring(3)));
        api.execute("""
                insert into revisions (project_id, load_balancer_id, generation, tree, author, source, summary, created_at)
                select project_id, load_balancer_id, 1000 + n, tree, author, source, summary,
                    now() - interval '31 days'
                from revisions, generate_series(1, 250) n where load_balancer_id = '%s'""".formatted(uuid));

        api.execute("select purge_expired()");

        assertThat(api.query("select count(*) from revisions where load_balancer_id = '%s'".formatted(uuid)))
                // The 200 newest, and the one that is in force.
                .isEqualTo("201");
        assertThat(api.query("select count(*) from load_balancers where id in ('%s', '%s')"
                        .formatted(
                                old.text("id").substring(3), recent.text("id").substring(3))))
                .isEqualTo("1");
        assertThat(api.post(acme.token(), path(recent) + ":undelete", "").status())
                .isEqualTo(200);
    }
}
