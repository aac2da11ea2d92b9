using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Phantoms;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Protection;

/// <summary>The composed rooms with a key ring of their own, and a few phantom slices to work on.</summary>
public sealed class RoomsFixture : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-protection-").FullName;

    public RoomsFixture()
    {
        KeyRing.Create(Path.Combine(_folder, "keyring.json"));
        Rooms = ProtectionRooms.Open(new GatewayOptions { DataFolder = _folder, Segmentation = { Kind = SegmenterKind.Threshold } });
        Phantoms = [.. PhantomStudy.Create(new PhantomOptions { Seed = 11, SlicesPerSeries = 1 })];
    }

    public ProtectionRooms Rooms { get; }

    /// <summary>One slice of each series: signed CT with padding, unsigned CT, two MR; explicit and implicit VR.</summary>
    public IReadOnlyList<PhantomInstance> Phantoms { get; }

    public static byte[] Encode(PhantomInstance phantom) => DataSetWriter.ToArray(phantom.DataSet, phantom.TransferSyntax);

    public ProtectedInstance Protect(PhantomInstance phantom) =>
        Rooms.Protector.Protect(Encode(phantom), phantom.TransferSyntax).ShouldBeOfType<ProtectionOutcome.Protected>().Instance;

    /// <summary>Other rooms, with another key ring.</summary>
    public ProtectionRooms Strangers()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "strangers")).FullName;
        string ring = Path.Combine(folder, "keyring.json");
        if (!File.Exists(ring))
        {
            KeyRing.Create(ring);
        }

        return ProtectionRooms.Open(new GatewayOptions { DataFolder = folder, Segmentation = { Kind = SegmenterKind.Threshold } });
    }

    public void Dispose()
    {
        Rooms.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
