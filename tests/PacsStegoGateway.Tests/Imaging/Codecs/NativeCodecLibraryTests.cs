using PacsStegoGateway.Imaging.Codecs;

namespace PacsStegoGateway.Tests.Imaging.Codecs;

public sealed class NativeCodecLibraryTests
{
    [Fact]
    public void A_missing_library_is_a_refusal_that_names_the_package()
    {
        var library = new NativeCodecLibrary("Codec 3", "libcodec3", ["psg-no-such.dll"], ["libpsg-no-such.so.3"], ["libpsg-no-such.dylib"]);
        PixelCodecRefusedException refused = Should.Throw<PixelCodecRefusedException>(library.Require);
        refused.Reason.ShouldBe(PixelCodecRefusal.LibraryMissing);
        refused.Message.ShouldBe(library.Missing);
        refused.Message.ShouldContain("Codec 3");
        refused.Message.ShouldContain(OperatingSystem.IsWindows() ? "psg-no-such.dll" : OperatingSystem.IsMacOS() ? "Homebrew" : "libcodec3");
    }

    [Fact]
    public void Every_codec_says_whether_it_can_work_here()
    {
        foreach (string uid in PixelCodecs.TransferSyntaxUIDs)
        {
            // The libraries are installed wherever the tests run (scripts/test.sh); a codec without one is always there.
            PixelCodecs.Find(PacsStegoGateway.Dicom.TransferSyntax.Of(uid))!.Unavailable.ShouldBeNull(uid);
        }
    }
}
