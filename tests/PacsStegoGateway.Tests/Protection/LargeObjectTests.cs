using System.IO.Pipelines;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Protection;

/// <summary>An object of 300 MiB goes through both verbs in parts. The whole process is measured by the system tests.</summary>
public sealed class LargeObjectTests(RoomsFixture fixture) : IClassFixture<RoomsFixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-large-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("1.2.840.10008.1.2.1", 600)]
    [InlineData("1.2.840.10008.1.2.2", 120)]
    public void It_is_protected_and_revealed_without_ever_being_in_memory(string transferSyntaxUID, int frames)
    {
        var syntax = TransferSyntax.Of(transferSyntaxUID);
        PhantomInstance phantom = PhantomStudy.CreateMultiframe(3, frames);
        ByteSource received = DataSetWriter.ToSource(phantom.DataSet, syntax);
        received.Length.ShouldBeGreaterThan(frames * 524_288L);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FileSource? kept = null;

        ProtectedInstance instance = fixture.Rooms.Protector.Protect(received, syntax, Keep).ShouldBeOfType<ProtectionOutcome.Protected>().Instance;

        instance.DataSet.ShouldBeSameAs(kept);
        DataSet stored = DataSetReader.Read(instance.DataSet, syntax);
        RevealedInstance original = fixture.Rooms.Revealer.Reveal(stored, syntax).ShouldBeOfType<RevealOutcome.Revealed>().Original;
        original.DataSet.ContentEquals(received).ShouldBeTrue();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(50 << 20);
        stored.Find(Tags.PixelData)!.Source.Slice(8 * 524_288, 524_288 * 100)
            .ContentEquals(phantom.DataSet.Find(Tags.PixelData)!.Source.Slice(8 * 524_288, 524_288 * 100)).ShouldBeTrue("frames that carry nothing are as they were");
        kept!.Dispose();

        ByteSource Keep(ProtectedInstance unproved)
        {
            string path = Path.Combine(_folder, "kept");
            using (FileStream file = File.Create(path))
            {
                unproved.DataSet.CopyTo(file);
            }

            return kept = FileSource.Open(path);
        }
    }

    [Fact]
    public void A_frame_that_is_damaged_where_it_is_kept_is_found_by_the_proof()
    {
        PhantomInstance phantom = PhantomStudy.CreateMultiframe(3, 40);
        ByteSource received = DataSetWriter.ToSource(phantom.DataSet, phantom.TransferSyntax);

        fixture.Rooms.Protector.Protect(received, phantom.TransferSyntax, static i => i.DataSet).ShouldBeOfType<ProtectionOutcome.Protected>();
        fixture.Rooms.Protector.Protect(received, phantom.TransferSyntax, static i => i.DataSet.Replace(i.DataSet.Length - 600_000, ByteSource.Of(new byte[2])))
            .ShouldBeOfType<ProtectionOutcome.Quarantined>().Reason.ShouldBe(RefusalReason.ProofFailed);
    }

    [Fact]
    public void More_private_data_than_can_be_sealed_is_refused()
    {
        PhantomInstance phantom = fixture.Phantoms[0];
        DataSet dataSet = phantom.DataSet.Clone();
        dataSet.Set(Element.Raw(new Tag(0x0009, 0x1010), Vr.OB, new byte[EncryptedAttributes.MostSealed]));

        ProtectionOutcome.Quarantined refused = fixture.Rooms.Protector
            .Protect(DataSetWriter.ToArray(dataSet, phantom.TransferSyntax), phantom.TransferSyntax).ShouldBeOfType<ProtectionOutcome.Quarantined>();

        refused.Reason.ShouldBe(RefusalReason.UnsupportedObject);
        refused.Detail.ShouldContain("33554432");
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(3 << 20)]
    public async Task What_the_PACS_gives_back_is_in_memory_when_short_and_else_in_a_file_that_goes_again(int length)
    {
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder, fixture.Rooms.Keys);
        var originals = new OriginalSource(fixture.Rooms.Revealer.Reveal, fixture.Rooms.Pseudonyms, spool, 4 << 20, static () => SymbolAlone.Refuse);
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);

        using (FetchedObject fetched = await originals.FetchAsync(PipeReader.Create(new(bytes)), TestContext.Current.CancellationToken))
        {
            fetched.DataSet.ToArray().ShouldBe(bytes);
            (spool.UsedBytes > 0).ShouldBe(length > 1 << 20);
        }

        spool.UsedBytes.ShouldBe(0);
        await Should.ThrowAsync<IOException>(originals.FetchAsync(PipeReader.Create(new(new byte[(4 << 20) + 1])), TestContext.Current.CancellationToken));
        spool.UsedBytes.ShouldBe(0);
    }
}
