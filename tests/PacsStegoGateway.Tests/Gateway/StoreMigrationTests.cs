using System.Data.Common;
using Dapper;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>Databases of earlier versions go on where they were.</summary>
public sealed class StoreMigrationTests(PostgresFixture postgres) : StoreRoom(postgres)
{
    [Theory, MemberData(nameof(Kinds))]
    public async Task Rows_of_version_1_keep_their_state_and_protected_ones_wait_for_the_one_destination(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await using (DbDataSource source = dialect.CreateDataSource())
        {
            await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
            await Schema.MigrateAsync(connection, dialect, 1);
            int n = 0;
            foreach (string state in (string[])["received", "protected", "forwarded", "quarantined", "protected"])
            {
                await connection.ExecuteAsync(
                    """
                    INSERT INTO instances (sop_uid, study_uid, series_uid, patient, patient_index, accession_index, sop_class_uid, transfer_syntax, essentials,
                      content_hash, calling_ae, remote_address, state, is_primary, attempts, detail, received_at, updated_at, received_file, received_bytes, protected_file)
                    VALUES (@sop, '2.25.100', '2.25.101', 'P', 'PI', 'AI', '1.2', '1.2.3', @bytes, @bytes, 'CT1', '127.0.0.1', @state, 1, 2, 'said so', 5, 6, @file, 10, @protectedFile)
                    """,
                    new { sop = $"2.25.{++n}", bytes = new byte[] { 1, 2 }, state, file = $"r{n}", protectedFile = state is "protected" or "forwarded" ? $"p{n}" : null });
            }

            // Its id is not given a second time.
            await connection.ExecuteAsync("DELETE FROM instances WHERE id = 5");
        }

        await using GatewayStore store = await OpenAsync(dialect);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldBeEmpty();
        await store.JoinAsync("spool", TimeSpan.FromMinutes(1), new ForwardTarget("PACS"));
        InstanceRow received = (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        (received.Id, received.SopUID, received.Node, received.CalledAE).ShouldBe((1, "2.25.1", "gateway", ""));
        DeliveryRow due = (await store.DueDeliveriesAsync("PACS", 10, Cancel)).ShouldHaveSingleItem();
        (due.Instance.Id, due.Instance.ProtectedFile, due.Attempts, due.WantsCommitment).ShouldBe((2, "p2", 2, false));
        due.Instance.Essentials.ShouldBe([1, 2]);
        (await store.QuarantinedAsync(new QuarantineFilter(), Cancel)).ShouldHaveSingleItem().Id.ShouldBe(4);
        (await store.UnownedFilesAsync(["r1", "r2", "p2", "r3", "p3", "r4"], Cancel)).ShouldBe(["r3", "p3"], ignoreOrder: true);

        (await store.SettleDeliverySentAsync(due, "0000H")).FilesUnneeded.ShouldBeTrue();
        (await store.CountAsync(Cancel))[InstanceState.Forwarded].ShouldBe(2);
        (await store.QuarantineAsync(received, RefusalReason.NoBackground, null)).ShouldBeTrue();
        (await store.ReceiveAsync(Row("2.25.9"))).Kind.ShouldBe(ReceiptKind.New);
        (await store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem().Id.ShouldBe(6);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_database_of_a_later_version_is_refused(DatabaseKind kind)
    {
        StoreDialect dialect = await DialectAsync(kind);
        await (await OpenAsync(dialect)).DisposeAsync();
        await using (DbDataSource source = dialect.CreateDataSource())
        {
            await using DbConnection connection = await source.OpenConnectionAsync(Cancel);
            await connection.ExecuteAsync("INSERT INTO schema_version (version) VALUES (9999)");
        }

        (await Should.ThrowAsync<InvalidOperationException>(() => OpenAsync(dialect))).Message.ShouldContain("later version");
    }
}
