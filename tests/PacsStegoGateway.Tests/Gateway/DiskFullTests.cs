using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Service;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A real file system that is full, at every place where the gateway writes; nothing acknowledged is lost, and all goes on by itself.</summary>
public sealed class DiskFullTests : IAsyncDisposable
{
    private const int ObjectBytes = 400_000;

    private readonly string _mount = Directory.CreateTempSubdirectory("psg-full-").FullName;
    private bool _isMounted;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Filler => Path.Combine(_mount, "filler");

    [Fact]
    public async Task Full_while_protecting_the_rows_wait_and_new_objects_are_told_to_come_later_until_there_is_room()
    {
        await MountAsync("8m");
        using var gate = new ManualResetEventSlim();
        await using GatewayHarness gateway = await GatewayHarness.StartAsync(g =>
        {
            g.Options.Spool.Folder = Path.Combine(_mount, "spool");
            g.Parts = new ProtectionParts(
                SampleObjects.Keys,
                (bytes, syntax, keep) =>
                {
                    gate.Wait(Cancel);
                    return SampleObjects.Protect(bytes, syntax, keep);
                },
                SampleObjects.Reveal);
        });
        (await SendAsync(gateway, 1)).ShouldBe(DimseStatus.Success);
        (await SendAsync(gateway, 2)).ShouldBe(DimseStatus.Success);
        (await SendAsync(gateway, 3)).ShouldBe(DimseStatus.Success);
        Fill(leave: 100_000);
        gate.Set();
        // The protected copies do not fit; each row is tried, and waits.
        await Eventually.BecomesTrueAsync(() => Task.FromResult(gateway.LogLines.Count(static l => l.StartsWith("3011 ", StringComparison.Ordinal)) >= 3), 60);
        (await SendAsync(gateway, 4)).ShouldBe(DimseStatus.OutOfResources);
        Fill(leave: 0);
        (await SendAsync(gateway, 4)).ShouldBe(DimseStatus.OutOfResources);
        (await gateway.CountAsync(InstanceState.Quarantined)).ShouldBe(0);
        (await gateway.CountAsync(InstanceState.Received)).ShouldBe(3);
        File.Delete(Filler);
        await gateway.UntilAsync(InstanceState.Forwarded, 3);
        (await SendAsync(gateway, 4)).ShouldBe(DimseStatus.Success);
        await gateway.UntilAsync(InstanceState.Forwarded, 4);
        gateway.Pacs.Stored.Count.ShouldBe(4);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(gateway.SpoolFiles.Count == 0));
    }

    [Fact]
    public async Task Full_at_every_byte_count_writing_fails_as_a_disk_does_and_leaves_nothing()
    {
        await MountAsync("6m");
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, Path.Combine(_mount, "spool"), SampleObjects.Keys);
        byte[] bytes = new byte[300_000];
        int full = 0, whole = 0;
        for (int leave = 0; leave <= 400_000; leave += 23_000)
        {
            Fill(leave);
            try
            {
                using SpoolFile file = spool.Create();
                file.Write(bytes);
                file.Written(100).Length.ShouldBe(bytes.Length - 100);
                file.Flush();
                whole++;
            }
            catch (IOException)
            {
                full++;
            }

            spool.UsedBytes.ShouldBe(0);
            spool.IdleFiles().ShouldBeEmpty();
        }

        full.ShouldBeGreaterThan(10);
        whole.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Full_while_the_PACS_gives_an_object_back_the_fetch_fails_and_leaves_nothing()
    {
        await MountAsync("6m");
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, Path.Combine(_mount, "spool"), SampleObjects.Keys);
        var originals = new OriginalSource(SampleObjects.Reveal, SampleObjects.Pseudonyms, spool, 16 << 20, static () => SymbolAlone.Refuse);
        byte[] given = new byte[3 << 20];
        Fill(leave: 1_200_000);
        await Should.ThrowAsync<IOException>(originals.FetchAsync(PipeReader.Create(new ReadOnlySequence<byte>(given)), Cancel));
        spool.UsedBytes.ShouldBe(0);
        File.Delete(Filler);
        using FetchedObject fetched = await originals.FetchAsync(PipeReader.Create(new ReadOnlySequence<byte>(given)), Cancel);
        fetched.DataSet.Length.ShouldBe(given.Length);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
        {
            // Lazily: a process that another test starts at this moment holds every open file until it has become another program.
            (await RunAsync("umount", "--lazy", _mount)).ShouldBeTrue();
        }

        Directory.Delete(_mount, recursive: true);
    }

    private static async Task<DimseStatus> SendAsync(GatewayHarness gateway, int number)
    {
        await using RequestorAssociation association = await gateway.ConnectAsync("CT1");
        byte[] bytes = SampleObjects.Encode(SampleObjects.Create(number, ObjectBytes));
        StoreResponse response = await association.StoreAsync(SopClasses.CTImageStorage, SampleObjects.SopUID(number),
            TransferSyntax.ExplicitVRLittleEndian.UID, new ReadOnlySequence<byte>(bytes), null, Cancel);
        await association.ReleaseAsync(Cancel);
        return response.Status;
    }

    /// <summary>Fills the file system but for so many bytes.</summary>
    private void Fill(long leave)
    {
        File.Delete(Filler);
        using var file = new FileStream(Filler, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] page = new byte[4096];
        long most = new DriveInfo(_mount).AvailableFreeSpace - leave;
        try
        {
            for (long written = 0; written < most; written += page.Length)
            {
                file.Write(page);
            }
        }
        catch (IOException)
        {
            // Full: that was meant.
        }
    }

    private async Task MountAsync(string size)
    {
        _isMounted = await RunAsync("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", _mount);
        if (!_isMounted)
        {
            Assert.Skip("A small file system can be mounted by root only.");
        }
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
}
