using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dimse;
using PacsStegoGateway.Intake;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Work;

namespace PacsStegoGateway.Tests.Gateway;

public sealed class IntakeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-intake-").FullName;
    private readonly SpoolOptions _spoolOptions = new() { MinFreeMegabytes = 0, MaxObjectMegabytes = 1 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_was_accepted_is_there_after_opening_again_as_a_whole_file_and_a_row()
    {
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(1));
        await using (Door door = await OpenAsync())
        {
            (await door.AcceptAsync(bytes)).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        }

        await using Door again = await OpenAsync();
        InstanceRow row = (await again.Store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        DicomFile file = DicomFile.Read(again.Spool.Open(row.ReceivedFile), DicomReadOptions.StrictDefault);
        DataSetWriter.ToArray(file.DataSet, file.TransferSyntax).ShouldBe(bytes);
        Part10.DataSetOf(again.Spool.Open(row.ReceivedFile)).ToArray().ShouldBe(bytes);
        row.SopUID.ShouldBe(SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1)));
        new IdentityVault(SampleObjects.Keys).Open(row.Essentials)!.Values.GetText(Tags.PatientName).ShouldBe(SampleObjects.PatientName);
        (await Housekeeping.SweepAsync(again.Spool, again.Store, Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task The_same_bytes_again_leave_one_file_and_other_bytes_under_the_same_UID_are_kept_in_quarantine()
    {
        await using Door door = await OpenAsync();
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(1));
        await door.AcceptAsync(bytes);
        (await door.AcceptAsync(bytes)).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.Duplicate));
        door.Spool.IdleFiles().Count.ShouldBe(1);
        (await door.AcceptAsync(SampleObjects.Encode(SampleObjects.Create(1, fill: 8)))).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.Conflict));
        door.Spool.IdleFiles().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_data_set_that_is_cut_short_anywhere_is_not_acknowledged_and_leaves_nothing()
    {
        await using Door door = await OpenAsync();
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(1, pixelBytes: 64));
        for (int length = bytes.Length - 1; length > bytes.Length - 64; length -= 9)
        {
            ReasonOf(await door.AcceptAsync(bytes[..length])).ShouldBe(RefusalReason.MalformedDataSet);
        }

        ReasonOf(await door.AcceptAsync([])).ShouldBe(RefusalReason.MalformedDataSet);
        door.Spool.IdleFiles().ShouldBeEmpty();
        (await door.Store.QueryAuditAsync(new AuditFilter { Events = [AuditEvent.ReceiveRefused] }, Cancel)).Count.ShouldBe(8);
    }

    [Fact]
    public async Task An_object_other_than_announced_or_without_identifiers_is_refused_with_the_element_that_is_wrong()
    {
        await using Door door = await OpenAsync();
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(1));
        var otherInstance = (IntakeOutcome.Refused)await door.AcceptAsync(bytes, sopUID: SampleObjects.SopUID(2));
        (otherInstance.Reason, otherInstance.OffendingElement).ShouldBe((RefusalReason.DataSetDoesNotMatchCommand, Tags.SOPInstanceUID));
        var otherClass = (IntakeOutcome.Refused)await door.AcceptAsync(bytes, sopClass: SopClasses.MRImageStorage);
        (otherClass.Reason, otherClass.OffendingElement).ShouldBe((RefusalReason.DataSetDoesNotMatchCommand, Tags.SOPClassUID));
        DataSet noStudy = SampleObjects.Create(1);
        noStudy.Remove(Tags.StudyInstanceUID);
        var missing = (IntakeOutcome.Refused)await door.AcceptAsync(SampleObjects.Encode(noStudy));
        (missing.Reason, missing.OffendingElement).ShouldBe((RefusalReason.MissingIdentifier, Tags.StudyInstanceUID));
        door.Spool.IdleFiles().ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_room_nothing_is_taken_and_with_room_again_everything()
    {
        // Room for the object, for its protected copy, and for the next step of both.
        _spoolOptions.QuotaMegabytes = 5;
        await using Door door = await OpenAsync();
        byte[] Bytes(int number) => SampleObjects.Encode(SampleObjects.Create(number, pixelBytes: 900_000));
        (await door.AcceptAsync(Bytes(1), SampleObjects.SopUID(1))).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        (await door.AcceptAsync(Bytes(2), SampleObjects.SopUID(2))).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        ReasonOf(await door.AcceptAsync(Bytes(3), SampleObjects.SopUID(3))).ShouldBe(RefusalReason.OutOfResources);
        door.Spool.Room.IsFull.ShouldBeTrue();
        foreach (InstanceRow row in await door.Store.DueAsync(InstanceState.Received, 10, Cancel))
        {
            door.Spool.Delete(row.ReceivedFile);
            door.Spool.Room.Settle(row.ReceivedBytes);
        }

        (await door.AcceptAsync(Bytes(3), SampleObjects.SopUID(3))).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
    }

    [Fact]
    public async Task A_disk_that_fills_while_an_object_arrives_is_out_of_resources_and_leaves_nothing()
    {
        string mount = Path.Combine(_folder, "small");
        Directory.CreateDirectory(mount);
        if (!await RunAsync("mount", "-t", "tmpfs", "-o", "size=1700k", "tmpfs", mount))
        {
            Assert.Skip("A small file system can be mounted by root only.");
        }

        try
        {
            using var spool = new Spool(_spoolOptions, mount, SampleObjects.Keys);
            await using GatewayStore store = await GatewayStore.OpenAsync(
                new SqliteDialect(Path.Combine(_folder, "small.db"), 5), SampleObjects.Keys, TimeProvider.System, Cancel);
            var intake = new InstanceIntake(spool, store, new IdentityVault(SampleObjects.Keys), _spoolOptions, new WaitingRows(store, 0, TimeProvider.System), new WorkSignal(), NullLogger<InstanceIntake>.Instance);
            async Task<IntakeOutcome> AcceptAsync(int number) => await intake.AcceptAsync(
                RequestOf(SampleObjects.Encode(SampleObjects.Create(number, pixelBytes: 500_000)), SampleObjects.SopUID(number)), Cancel);
            IntakeOutcome last = await AcceptAsync(1);
            int accepted = 0;
            while (last is IntakeOutcome.Accepted && accepted < 10)
            {
                last = await AcceptAsync(++accepted + 1);
            }

            ReasonOf(last).ShouldBe(RefusalReason.OutOfResources);
            spool.IdleFiles().Count.ShouldBe(accepted);
            spool.Delete(spool.IdleFiles()[0]);
            (await AcceptAsync(99)).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        }
        finally
        {
            // Lazily: a process that another test starts at this moment holds every open file until it has become another program.
            (await RunAsync("umount", "--lazy", mount)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task An_object_above_the_limit_is_refused()
    {
        await using Door door = await OpenAsync();
        ReasonOf(await door.AcceptAsync(SampleObjects.Encode(SampleObjects.Create(1, pixelBytes: (1 << 20) + 2)))).ShouldBe(RefusalReason.TooLarge);
        door.Spool.IdleFiles().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sender_that_vanishes_in_the_middle_leaves_nothing()
    {
        await using Door door = await OpenAsync();
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(new byte[1000], Cancel);
        await pipe.Writer.CompleteAsync(new IOException("gone"));
        await Should.ThrowAsync<IOException>(() => door.Intake.AcceptAsync(
            new IntakeRequest(SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID, pipe.Reader, "CT1", "127.0.0.1"), Cancel));
        door.Spool.IdleFiles().ShouldBeEmpty();
        (await door.Store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task One_of_our_own_protected_objects_that_comes_back_is_refused_and_leaves_nothing_behind()
    {
        await using Door door = await OpenAsync();
        (await door.AcceptAsync(SampleObjects.Encode(SampleObjects.Create(1)))).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        DataSet back = SampleObjects.Create(1);
        string pseudonym = SampleObjects.Pseudonyms.MapUID(SampleObjects.SopUID(1));
        back.SetText(Tags.SOPInstanceUID, pseudonym);
        ReasonOf(await door.AcceptAsync(SampleObjects.Encode(back), pseudonym)).ShouldBe(RefusalReason.AlreadyProtected);
        RefusalStatus.Of(RefusalReason.AlreadyProtected).IsTransient.ShouldBeFalse();
        door.Spool.IdleFiles().Count.ShouldBe(1);

        // Of the same form, and nobody's.
        DataSet other = SampleObjects.Create(1);
        other.SetText(Tags.SOPInstanceUID, "2.25.1234");
        (await door.AcceptAsync(SampleObjects.Encode(other), "2.25.1234")).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
    }

    [Fact]
    public async Task While_the_database_is_away_nothing_is_acknowledged_and_afterwards_the_resend_is()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using Door door = await OpenAsync(new PostgreSqlDialect(await server.CreateDatabaseAsync()));
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(1));
        await server.StopAsync();
        ReasonOf(await door.AcceptAsync(bytes)).ShouldBe(RefusalReason.StoreUnavailable);
        await server.StartAgainAsync();
        await Eventually.BecomesTrueAsync(() => door.Store.IsReachableAsync(Cancel));
        (await door.AcceptAsync(bytes)).ShouldBe(new IntakeOutcome.Accepted(ReceiptKind.New));
        // The file of the attempt whose commitment was unknown has no row.
        (await Housekeeping.SweepAsync(door.Spool, door.Store, Cancel)).ShouldBe(1);
        InstanceRow row = (await door.Store.DueAsync(InstanceState.Received, 10, Cancel)).ShouldHaveSingleItem();
        Part10.DataSetOf(door.Spool.Open(row.ReceivedFile)).ToArray().ShouldBe(bytes);
    }

    private static RefusalReason ReasonOf(IntakeOutcome outcome) => outcome.ShouldBeOfType<IntakeOutcome.Refused>().Reason;

    private static IntakeRequest RequestOf(byte[] bytes, string? sopUID = null, string? sopClass = null) => new(
        sopClass ?? SopClasses.CTImageStorage, sopUID ?? SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian.UID,
        PipeReader.Create(new ReadOnlySequence<byte>(bytes)), "CT1", "127.0.0.1");

    private async Task<Door> OpenAsync(StoreDialect? dialect = null)
    {
        var spool = new Spool(_spoolOptions, Path.Combine(_folder, "spool"), SampleObjects.Keys);
        GatewayStore store = await GatewayStore.OpenAsync(
            dialect ?? new SqliteDialect(Path.Combine(_folder, "gateway.db"), 5), SampleObjects.Keys, TimeProvider.System, Cancel);
        return new Door(spool, store, new InstanceIntake(
            spool, store, new IdentityVault(SampleObjects.Keys), _spoolOptions, new WaitingRows(store, 0, TimeProvider.System), new WorkSignal(), NullLogger<InstanceIntake>.Instance));
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync(Cancel);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private sealed record Door(Spool Spool, GatewayStore Store, InstanceIntake Intake) : IAsyncDisposable
    {
        public Task<IntakeOutcome> AcceptAsync(byte[] bytes, string? sopUID = null, string? sopClass = null) =>
            Intake.AcceptAsync(RequestOf(bytes, sopUID, sopClass), Cancel);

        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            Spool.Dispose();
        }
    }
}
