using System.Diagnostics;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Imaging;
using PacsStegoGateway.Phantoms;

namespace PacsStegoGateway.Tests.Phantoms;

public sealed class PhantomStudyTests
{
    private static readonly List<PhantomInstance> Study = PhantomStudy.Create(new PhantomOptions { Seed = 3, SlicesPerSeries = 2 }).ToList();

    public static TheoryData<string> Paths => [.. Study.Select(static i => i.RelativePath)];

    [Fact]
    public void A_study_has_two_CT_series_and_two_MR_series()
    {
        Study.Count.ShouldBe(8);
        Study.Select(static i => i.DataSet.GetText(Tags.SeriesInstanceUID)).Distinct().Count().ShouldBe(4);
        Study.Select(static i => i.DataSet.GetText(Tags.StudyInstanceUID)).Distinct().Count().ShouldBe(2);
        Study.Select(static i => i.SopInstanceUID).Distinct().Count().ShouldBe(8);
        Study.Count(static i => i.TransferSyntax == TransferSyntax.ImplicitVRLittleEndian).ShouldBe(2);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_another_person()
    {
        List<PhantomInstance> again = PhantomStudy.Create(new PhantomOptions { Seed = 3, SlicesPerSeries = 2 }).ToList();
        for (int i = 0; i < Study.Count; i++)
        {
            again[i].ToArray().ShouldBe(Study[i].ToArray());
        }

        PhantomInstance other = PhantomStudy.Create(new PhantomOptions { Seed = 4, SlicesPerSeries = 1 }).First();
        other.DataSet.GetText(Tags.PatientID).ShouldNotBe(Study[0].DataSet.GetText(Tags.PatientID));
        other.SopInstanceUID.ShouldNotBe(Study[0].SopInstanceUID);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(PhantomOptions.MaxSlicesPerSeries + 1)]
    public void A_number_of_slices_out_of_range_is_refused(int slices) =>
        Should.Throw<ArgumentOutOfRangeException>(() => PhantomStudy.Create(new PhantomOptions { SlicesPerSeries = slices }));

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_file_is_read_back_and_written_again_byte_for_byte(string path)
    {
        byte[] file = Find(path).ToArray();
        DicomFile.Read(file, DicomReadOptions.StrictDefault).ToArray().ShouldBe(file);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Every_file_is_a_complete_instance_in_the_eyes_of_dciodvfy(string path)
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, Find(path).ToArray(), TestContext.Current.CancellationToken);
            using Process judge = Process.Start(new ProcessStartInfo("dciodvfy", [file]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            Task<string> spoken = judge.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            string said = await judge.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) + await spoken;
            await judge.WaitForExitAsync(TestContext.Current.CancellationToken);
            said.Split('\n').Where(static l => l.Contains("Error", StringComparison.Ordinal)).ShouldBeEmpty();
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Air_surrounds_the_body_and_the_body_fills_a_good_part_of_the_slice(string path)
    {
        DataSet dataSet = Find(path).DataSet;
        PixelDescription.TryRead(dataSet, out PixelDescription description).ShouldBeNull();
        PixelPlane plane = PixelPlane.Read(description, dataSet.Find(Tags.PixelData)!.Value.Span);
        // HU of fat for CT; for MR, far above the magnitude of noise.
        double body = description.Modality == "CT" ? -300 : 60;
        double share = plane.Samples.Count(s => (s * description.RescaleSlope) + description.RescaleIntercept > body) / (double)plane.Samples.Length;
        share.ShouldBeInRange(0.15, 0.7);
        plane.Samples.Take(plane.Width).ShouldAllBe(s => (s * description.RescaleSlope) + description.RescaleIntercept < body);
    }

    [Fact]
    public void Identity_stands_in_nested_items_and_in_private_elements_too()
    {
        DataSet dataSet = Study[0].DataSet;
        string id = dataSet.GetText(Tags.PatientID)!;
        dataSet.GetText(new Tag(0x0009, 0x1001)).ShouldBe(id);
        dataSet.Find(Tags.OtherPatientIDsSequence)!.Items![0].GetText(Tags.PatientID).ShouldNotBe(id);
        dataSet.Find(Tags.ReferringPhysicianIdentificationSequence)!.Items![0].GetText(Tags.InstitutionName)
            .ShouldBe(dataSet.GetText(Tags.InstitutionName));
    }

    private static PhantomInstance Find(string path) => Study.Single(i => i.RelativePath == path);
}
