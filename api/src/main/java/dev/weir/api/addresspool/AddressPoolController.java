// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.addresspool;

import dev.weir.api.access.Access;
import dev.weir.api.web.DryRun;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.vip.AddressPoolRows;
import dev.weir.rest.v1.AddressPoolsApi;
import dev.weir.rest.v1.model.AddressPool;
import dev.weir.rest.v1.model.AddressPoolCreate;
import dev.weir.rest.v1.model.AddressPoolPage;
import dev.weir.rest.v1.model.AddressPoolUpdate;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class AddressPoolController implements AddressPoolsApi {
    private static final int SHORTEST_IPV4_PREFIX = 16;
    private static final int SHORTEST_IPV6_PREFIX = 32;

    private final Access access;
    private final IdempotentCalls idempotent;
    private final AddressPoolRows pools;
    private final Ids ids;
    private final Clock clock;

    AddressPoolController(Access access, IdempotentCalls idempotent, AddressPoolRows pools, Ids ids, Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.pools = pools;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<AddressPoolPage> listAddressPools(
            Integer limit, @Nullable String cursor, @Nullable String name) {
        return access.readFleet(fleet -> {
            Pages<dev.weir.db.vip.AddressPool> page = Pages.of(
                    pools.page(Pages.afterId(cursor), name, Pages.rows(limit)),
                    limit,
                    pool -> pool.id().toString());
            return ResponseEntity.ok(new AddressPoolPage()
                    .items(page.items().stream()
                            .map(AddressPoolController::rest)
                            .toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<AddressPool> getAddressPool(String addressPoolId) {
        UUID id = Ids.path(ResourceId.ADDRESS_POOL, addressPoolId);
        return access.readFleet(fleet -> answer(id));
    }

    private ResponseEntity<AddressPool> answer(UUID id) {
        return pools.find(id)
                .map(pool -> ResponseEntity.ok().eTag(ETags.of(pool.version())).body(rest(pool)))
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<AddressPool> createAddressPool(AddressPoolCreate body, @Nullable String idempotencyKey) {
        return access.writeFleet(
                "createAddressPool",
                fleet -> idempotent.run(null, fleet.subject(), idempotencyKey, AddressPool.class, () -> create(body)));
    }

    private ResponseEntity<AddressPool> create(AddressPoolCreate body) {
        check(body.getPrefixes());
        dev.weir.db.vip.AddressPool pool = new dev.weir.db.vip.AddressPool(
                ids.next(), body.getName(), body.getPrefixes(), 1, Times.stored(clock.instant()));
        pools.insert(pool);
        AddressPool answer = rest(pool);
        return ResponseEntity.created(URI.create("/v1/address-pools/" + answer.getId()))
                .body(answer);
    }

    private static void check(List<String> prefixes) {
        List<FieldFault> faults = new ArrayList<>();
        for (int i = 0; i < prefixes.size(); i++) {
            boolean usable = Networks.network(prefixes.get(i))
                    .filter(network ->
                            network.length() >= (network.ipv4() ? SHORTEST_IPV4_PREFIX : SHORTEST_IPV6_PREFIX))
                    .isPresent();
            if (!usable) {
                faults.add(new FieldFault(
                        "/prefixes/" + i,
                        "CIDR_INVALID",
                        "must be a network without host bits, in IPv4 of /16 to /32, such as 203.0.113.0/24, in IPv6 of"
                                + " /32 to /128"));
            }
        }
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
    }

    @Override
    public ResponseEntity<AddressPool> updateAddressPool(
            String addressPoolId, AddressPoolUpdate body, @Nullable String ifMatch, Boolean validateOnly) {
        UUID id = Ids.path(ResourceId.ADDRESS_POOL, addressPoolId);
        return DryRun.run(() -> access.writeFleet("updateAddressPool", fleet -> {
            ETags.check(ifMatch, pools.lock(id).orElseThrow(ProblemException::notFound));
            if (body.getPrefixes() != null) {
                check(body.getPrefixes());
                refuseIfHeld(id, body.getPrefixes());
            }
            pools.update(id, body.getName(), body.getPrefixes());
            ResponseEntity<AddressPool> answer = answer(id);
            return validateOnly ? DryRun.end(answer) : answer;
        }));
    }

    @Override
    public ResponseEntity<Void> deleteAddressPool(String addressPoolId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.ADDRESS_POOL, addressPoolId);
        return access.writeFleet("deleteAddressPool", fleet -> {
            ETags.check(ifMatch, pools.lock(id).orElseThrow(ProblemException::notFound));
            refuseIfHeld(id, List.of());
            pools.delete(id);
            return ResponseEntity.noContent().build();
        });
    }

    private void refuseIfHeld(UUID id, List<String> keptPrefixes) {
        List<FieldFault> users = pools.holders(id, keptPrefixes).stream()
                .map(holder -> FieldFault.user(
                        holder.name() == null ? "released VIP with" : "VIP " + holder.name() + " with",
                        holder.address(),
                        ResourceId.VIP.format(holder.vipId())))
                .toList();
        if (!users.isEmpty()) {
            throw new ProblemException(
                    ProblemCode.RESOURCE_IN_USE,
                    "VIPs have addresses of the pool, or addresses that were released are still held.",
                    users);
        }
    }

    private static AddressPool rest(dev.weir.db.vip.AddressPool pool) {
        return new AddressPool()
                .id(ResourceId.ADDRESS_POOL.format(pool.id()))
                .name(pool.name())
                .prefixes(pool.prefixes())
                .createdAt(Times.of(pool.createdAt()));
    }
}
