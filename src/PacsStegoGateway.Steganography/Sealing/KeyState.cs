namespace PacsStegoGateway.Steganography.Sealing;

/// <summary>What a key may still be used for.</summary>
public enum KeyState
{
    /// <summary>Seals new images. One key of a ring is active.</summary>
    Active,

    /// <summary>Was active; still opens what it sealed.</summary>
    Retained,

    /// <summary>Opens nothing any more; kept so that the refusal can be named.</summary>
    Retired,
}
