using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.SystemTests.Fixtures;

namespace PacsStegoGateway.SystemTests;

/// <summary>
/// One object of 300 MiB the whole way, there and back, and the memory that the gateway ever had for it. What 2 GiB take is
/// measured by <c>scripts/measure-large-object.sh</c>: the same.
/// </summary>
public sealed class LargeObjectTests
{
    private const int Frames = 600;

    /// <summary>MiB resident, of which the program with its network and runtime takes about 130.</summary>
    private const long MostResident = 250;

    [Fact]
    public async Task Fault_15_an_object_larger_than_the_memory_it_may_take_goes_to_the_PACS_and_comes_back()
    {
        using var folder = new TemporaryFolder("large");
        PhantomInstance phantom = PhantomStudy.CreateMultiframe(5, Frames);
        string path = PhantomStudy.Write(folder.Path, phantom);
        await using OrthancServer orthanc = await OrthancServer.Start();
        await using StoreScp clinic = await StoreScp.Start("CLINIC");
        await using GatewayProcess gateway = await GatewayProcess.Start(orthanc.DicomPort, clinic);

        (await DcmtkTools.Store(gateway.Port, "MODALITY", "PSG", [path])).ShouldSucceed();
        await Eventually.IsTrue("the object is at the PACS", async () => await orthanc.Count() == 1, 300);
        await DcmtkTools.Move(gateway.Port, "CLINIC", "PSG", "CLINIC", "STUDY", $"StudyInstanceUID={phantom.DataSet.GetText(Tags.StudyInstanceUID)}");

        using var returned = FileSource.Open(clinic.Received.ShouldHaveSingleItem());
        using var sent = FileSource.Open(path);
        DataSetOf(returned).ContentEquals(DataSetOf(sent)).ShouldBeTrue();
        ProcessFigures.PeakMegabytes(gateway.Process.Id).ShouldBeLessThan(MostResident);
    }

    private static ByteSource DataSetOf(ByteSource file)
    {
        var read = DicomFile.Read(file);
        return DataSetWriter.ToSource(read.DataSet, read.TransferSyntax);
    }
}
